/* Packets taken apart [PH-2]. */
#include <string.h>

#include "check.h"
#include "peer.h"
#include "porthouse/v1/command.pb.h"

static porthouse_view_t view(const void *bytes, size_t length)
{
    porthouse_view_t made;
    made.data = (const uint8_t *)bytes;
    made.length = length;
    return made;
}

static void frames(void)
{
    /* A Room with id 5, an unknown field of a packet, a frame without anything. */
    static const uint8_t bytes[] = {0x0a, 0x06, 0x08, 5, 0x3a, 0x02, 0x1a, 0, 0x10, 7, 0x0a, 0};
    porthouse_view_t packet = view(bytes, sizeof bytes);
    porthouse_frame_t frame;
    CHECK(porthouse_frame(&packet, &frame));
    CHECK(frame.id == 5 && frame.kind == porthouse_Frame_room_tag);
    CHECK(frame.body.data == bytes + 6 && frame.body.length == 2);
    CHECK(frame.packet.data == bytes && frame.packet.length == 8);
    CHECK(porthouse_frame(&packet, &frame));
    CHECK(frame.id == 0 && frame.kind == 0 && frame.packet.data == bytes + 10);
    CHECK(!porthouse_frame(&packet, &frame) && packet.length == 0);
}

/* A field of tomorrow, on either side of a body, is no second body. */
static void newer(void)
{
    static const uint8_t packet[] = {0x0a, 8, 0x7a, 0, 0x3a, 2, 0x1a, 0, 0x7a, 0};
    porthouse_view_t rest = view(packet, sizeof packet);
    porthouse_frame_t frame;
    CHECK(porthouse_frame(&rest, &frame));
    CHECK(frame.kind == porthouse_Frame_room_tag && frame.body.length == 2);
}

static void refused(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } wrong[] = {
        {"\x0a", 1},                             /* no length */
        {"\x0a\x05\x08\x01", 4},                 /* runs past the end */
        {"\x08\x01", 2},                         /* frames of another wire type */
        {"\x0a\x04\x32\x00\x3a\x00", 6},         /* two bodies */
        {"\x0a\x02\x30\x01", 4},                 /* a body of another wire type */
        {"\x0a\x02\x0a\x00", 4},                 /* an id of another wire type */
        {"\x0a\x06\x08\x80\x80\x80\x80\x10", 8}, /* an id of 33 bits */
        {"\x03", 1},                             /* a group */
        {"\x02\x00", 2},                         /* number 0 */
        {"\x0f\x00", 2},                         /* no wire type */
        {"\x0a\xff\xff\xff\xff\x0f", 6},         /* a length of 4 GiB */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        porthouse_view_t packet = view(wrong[i].bytes, wrong[i].length);
        porthouse_frame_t frame;
        CHECK(!porthouse_frame(&packet, &frame));
        CHECK(packet.length > 0);
    }
}

static void fields(void)
{
    static const uint8_t bytes[] = {0x08, 0x96, 0x01, 0x15, 1, 2, 3, 4, 0x19,
                                    1,    2,    3,    4,    5, 6, 7, 8};
    porthouse_view_t rest = view(bytes, sizeof bytes);
    porthouse_field_t field;
    CHECK(porthouse_field(&rest, &field));
    CHECK(field.number == 1 && field.wire == 0 && field.value == 150);
    CHECK(porthouse_field(&rest, &field));
    CHECK(field.number == 2 && field.wire == 5 && field.bytes.length == 4);
    CHECK(porthouse_field(&rest, &field));
    CHECK(field.number == 3 && field.wire == 1 && field.bytes.length == 8);
    CHECK(!porthouse_field(&rest, &field) && rest.length == 0);
}

static void reads(void)
{
    /* Drop: code 70, and a number over 32 bits in its place. */
    porthouse_Drop drop = porthouse_Drop_init_zero;
    const porthouse_view_t whole = view("\x08\x46\x12\x02hi\x18\x07\x50\x01", 10);
    CHECK(porthouse_read(whole, &porthouse_Drop_msg, &drop));
    CHECK(drop.code == porthouse_Code_CODE_RATE_LIMITED && drop.retry_after_ms == 7);
    CHECK(porthouse_is(drop.detail, "hi"));
    CHECK(!porthouse_read(view("\x18\x80\x80\x80\x80\x10", 6), &porthouse_Drop_msg, &drop));
    CHECK(!porthouse_read(view("\x1a\x00", 2), &porthouse_Drop_msg, &drop));
    /* The last step of two is the one. */
    porthouse_LockStep step = porthouse_LockStep_init_zero;
    const porthouse_view_t two = view("\x12\x02\x18\x01\x22\x02\x08\x01", 8);
    CHECK(porthouse_read(two, &porthouse_LockStep_msg, &step));
    CHECK(step.which_step == porthouse_LockStep_verdict_tag);
    CHECK(step.step.verdict.outcome == porthouse_Outcome_OUTCOME_PASSED);
    CHECK(step.step.verdict.values.count == 0);
}

/* A rate is the only number of its kind. */
static void reads_rates(void)
{
    porthouse_Occupancy occupancy = porthouse_Occupancy_init_zero;
    const porthouse_view_t bytes = view("\x31\0\0\0\0\0\0\xf8\x3f", 9);
    CHECK(porthouse_read(bytes, &porthouse_Occupancy_msg, &occupancy));
    CHECK(occupancy.messages_per_second == 1.5);
}

const check_t frame_tests[] = {
    {"a packet is taken apart in place", frames},
    {"what is newer stands beside a body [PH-2.7]", newer},
    {"what is no packet is told", refused},
    {"fields of every wire type are walked", fields},
    {"messages are read by their descriptors", reads},
    {"a rate is read", reads_rates},
    CHECK_END,
};
