CREATE TABLE "cursors" (
	"holder" uuid NOT NULL,
	"room_id" uuid NOT NULL,
	"history" bigint NOT NULL,
	"sequence" bigint NOT NULL,
	CONSTRAINT "cursors_holder_room_id_pk" PRIMARY KEY("holder","room_id")
);
--> statement-breakpoint
CREATE TABLE "dropped_histories" (
	"number" bigint PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE "histories" (
	"room_id" uuid PRIMARY KEY NOT NULL,
	"number" bigint GENERATED ALWAYS AS IDENTITY (sequence name "histories_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"epoch" bigint NOT NULL,
	"generation" bigint DEFAULT 1 NOT NULL,
	"first" bigint DEFAULT 1 NOT NULL,
	"last" bigint DEFAULT 0 NOT NULL,
	"messages" bigint DEFAULT 0 NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "histories_number_unique" UNIQUE("number")
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"history" bigint NOT NULL,
	"sequence" bigint NOT NULL,
	"at" bigint NOT NULL,
	"id" uuid NOT NULL,
	"sender" text NOT NULL,
	"channel" text NOT NULL,
	"body" "bytea" NOT NULL,
	"key_scope" "bytea",
	"key_body" "bytea",
	CONSTRAINT "messages_history_sequence_at_pk" PRIMARY KEY("history","sequence","at")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "retained" (
	"room_id" uuid NOT NULL,
	"channel" text NOT NULL,
	"sequence" bigint NOT NULL,
	"at" bigint NOT NULL,
	"id" uuid NOT NULL,
	"sender" text NOT NULL,
	"body" "bytea" NOT NULL,
	CONSTRAINT "retained_room_id_channel_pk" PRIMARY KEY("room_id","channel")
);
--> statement-breakpoint
ALTER TABLE "cursors" ADD CONSTRAINT "cursors_room_id_rooms_id_fk" FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "histories" ADD CONSTRAINT "histories_room_id_rooms_id_fk" FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "retained" ADD CONSTRAINT "retained_room_id_rooms_id_fk" FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "cursors_room_id_index" ON "cursors" USING btree ("room_id");--> statement-breakpoint
CREATE INDEX "messages_key_index" ON "messages" USING btree ("history","at","sequence") WHERE key_scope is not null;--> statement-breakpoint
-- A partition a month is made ahead (upkeep.ts); what is of none goes here.
CREATE TABLE "messages_other" PARTITION OF "messages" DEFAULT;--> statement-breakpoint
-- Each append changes a row of it: with room on its page, no index is touched.
ALTER TABLE "histories" SET (fillfactor = 50);--> statement-breakpoint
-- Millions of messages are not deleted with their room, but later (upkeep.ts).
CREATE FUNCTION porthouse_drop_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO dropped_histories VALUES (OLD.number);
	-- A purge changes no row of the room, which tells of its own end.
	IF TG_OP = 'UPDATE' THEN
		PERFORM pg_notify('porthouse_changes', 'room:' || OLD.room_id);
	END IF;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "histories_dropped" AFTER DELETE OR UPDATE OF "number" ON "histories" FOR EACH ROW EXECUTE FUNCTION porthouse_drop_history();--> statement-breakpoint
CREATE FUNCTION porthouse_drop_cursors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM cursors WHERE holder = OLD.id;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "clients_cursors" AFTER DELETE ON "clients" FOR EACH ROW EXECUTE FUNCTION porthouse_drop_cursors();--> statement-breakpoint
CREATE TRIGGER "tokens_cursors" AFTER DELETE ON "tokens" FOR EACH ROW EXECUTE FUNCTION porthouse_drop_cursors();
