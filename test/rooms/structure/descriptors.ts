/** A descriptor set as `buf build` writes it, made by hand: a type with some of everything. */
import { create, type MessageInitShape, setExtension, toBinary } from '@bufbuild/protobuf'
import {
  type FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import {
  FieldRulesSchema,
  field as fieldRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'

export { Label, Type }

export type FieldInit = MessageInitShape<typeof FieldDescriptorProtoSchema>
export type FileInit = MessageInitShape<typeof FileDescriptorProtoSchema>
type RulesInit = MessageInitShape<typeof FieldRulesSchema>

export function field(name: string, number: number, type: Type, more: FieldInit = {}): FieldInit {
  const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return { name, number, type, label: Label.OPTIONAL, jsonName: camel, ...more }
}

export function rules(init: RulesInit) {
  const options = create(FieldOptionsSchema)
  setExtension(options, fieldRules, create(FieldRulesSchema, init))
  return { options }
}

export const repeated = { label: Label.REPEATED }
export const ofType = (name: string) => ({ typeName: `.${name}` })

export function setOf(...files: FileInit[]): Uint8Array<ArrayBuffer> {
  const imports = [
    file_google_protobuf_any,
    file_google_protobuf_struct,
    file_google_protobuf_timestamp,
  ]
  const file = [...imports.map(({ proto }) => proto), ...files]
  return new Uint8Array(
    toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file })),
  )
}

const READING: FieldInit[] = [
  field('id', 1, Type.INT32),
  field('sensor_name', 2, Type.STRING),
  field('values', 3, Type.DOUBLE, repeated),
  field('next', 4, Type.MESSAGE, ofType('lab.Reading')),
  field('parts', 5, Type.MESSAGE, { ...repeated, ...ofType('lab.Reading') }),
  field('raw', 6, Type.BYTES),
  field('by_name', 7, Type.MESSAGE, { ...repeated, ...ofType('lab.Reading.ByNameEntry') }),
  field('state', 8, Type.ENUM, ofType('lab.State')),
  field('big', 9, Type.SFIXED64),
  field('at', 10, Type.MESSAGE, ofType('google.protobuf.Timestamp')),
  field('any', 11, Type.MESSAGE, ofType('google.protobuf.Any')),
  field('more', 12, Type.MESSAGE, ofType('google.protobuf.Struct')),
  field('states', 13, Type.ENUM, { ...repeated, ...ofType('lab.State') }),
]

export const LAB: FileInit = {
  name: 'lab.proto',
  package: 'lab',
  syntax: 'proto3',
  dependency: [
    'google/protobuf/any.proto',
    'google/protobuf/struct.proto',
    'google/protobuf/timestamp.proto',
  ],
  messageType: [
    {
      name: 'Reading',
      field: READING,
      nestedType: [
        {
          name: 'ByNameEntry',
          options: { mapEntry: true },
          field: [
            field('key', 1, Type.STRING),
            field('value', 2, Type.MESSAGE, ofType('lab.Reading')),
          ],
        },
      ],
    },
  ],
  enumType: [
    {
      name: 'State',
      value: [
        { name: 'STATE_UNSPECIFIED', number: 0 },
        { name: `STATE_${'LONG_'.repeat(50)}NAME`, number: 1 },
      ],
    },
  ],
}

/** A file of one message `lab.Only` with these fields. */
export function only(fields: FieldInit[], more: FileInit = {}): FileInit {
  return {
    name: 'only.proto',
    package: 'lab',
    syntax: 'proto3',
    messageType: [{ name: 'Only', field: fields }],
    ...more,
  }
}
