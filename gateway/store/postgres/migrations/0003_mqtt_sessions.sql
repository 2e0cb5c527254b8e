CREATE TABLE "mqtt_incoming" (
	"key" text NOT NULL,
	"message_id" integer NOT NULL,
	"packet" "bytea",
	CONSTRAINT "mqtt_incoming_key_message_id_pk" PRIMARY KEY("key","message_id")
);
--> statement-breakpoint
CREATE TABLE "mqtt_queue" (
	"key" text NOT NULL,
	"number" bigint GENERATED ALWAYS AS IDENTITY (sequence name "mqtt_queue_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"topic" text NOT NULL,
	"qos" smallint NOT NULL,
	"retain" boolean NOT NULL,
	"body" "bytea" NOT NULL,
	"text" boolean NOT NULL,
	"message_id" integer,
	"released" boolean NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"room_id" uuid,
	"broker" text,
	"counter" bigint,
	CONSTRAINT "mqtt_queue_key_number_pk" PRIMARY KEY("key","number")
);
--> statement-breakpoint
CREATE TABLE "mqtt_sessions" (
	"key" text PRIMARY KEY NOT NULL,
	"account_id" uuid,
	"principal" text NOT NULL,
	"client_id" text NOT NULL,
	"expiry_s" bigint NOT NULL,
	"away_since" timestamp (3) with time zone,
	"ends_at" timestamp (3) with time zone,
	"will" "bytea",
	"will_delay_s" bigint,
	"will_at" timestamp (3) with time zone,
	"messages" bigint DEFAULT 0 NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mqtt_subscriptions" (
	"key" text NOT NULL,
	"topic" text NOT NULL,
	"qos" smallint NOT NULL,
	"no_local" boolean NOT NULL,
	"retain_as_published" boolean NOT NULL,
	"retain_handling" smallint NOT NULL,
	"identifier" integer,
	"room_id" uuid,
	"epoch" bigint,
	"sequence" bigint,
	CONSTRAINT "mqtt_subscriptions_key_topic_pk" PRIMARY KEY("key","topic")
);
--> statement-breakpoint
ALTER TABLE "mqtt_incoming" ADD CONSTRAINT "mqtt_incoming_key_mqtt_sessions_key_fk" FOREIGN KEY ("key") REFERENCES "public"."mqtt_sessions"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mqtt_queue" ADD CONSTRAINT "mqtt_queue_key_mqtt_sessions_key_fk" FOREIGN KEY ("key") REFERENCES "public"."mqtt_sessions"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mqtt_queue" ADD CONSTRAINT "mqtt_queue_room_id_rooms_id_fk" FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mqtt_sessions" ADD CONSTRAINT "mqtt_sessions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mqtt_subscriptions" ADD CONSTRAINT "mqtt_subscriptions_key_mqtt_sessions_key_fk" FOREIGN KEY ("key") REFERENCES "public"."mqtt_sessions"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mqtt_subscriptions" ADD CONSTRAINT "mqtt_subscriptions_room_id_rooms_id_fk" FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mqtt_queue_key_message_id_index" ON "mqtt_queue" USING btree ("key","message_id") WHERE message_id is not null;--> statement-breakpoint
CREATE INDEX "mqtt_queue_room_id_index" ON "mqtt_queue" USING btree ("room_id");--> statement-breakpoint
CREATE INDEX "mqtt_queue_expires_at_index" ON "mqtt_queue" USING btree ("expires_at") WHERE expires_at is not null;--> statement-breakpoint
CREATE INDEX "mqtt_sessions_account_id_index" ON "mqtt_sessions" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "mqtt_sessions_principal_index" ON "mqtt_sessions" USING btree ("principal");--> statement-breakpoint
CREATE INDEX "mqtt_sessions_ends_at_index" ON "mqtt_sessions" USING btree ("ends_at") WHERE ends_at is not null;--> statement-breakpoint
CREATE INDEX "mqtt_sessions_will_at_index" ON "mqtt_sessions" USING btree ("will_at") WHERE will_at is not null;--> statement-breakpoint
CREATE INDEX "mqtt_subscriptions_room_id_index" ON "mqtt_subscriptions" USING btree ("room_id");--> statement-breakpoint
-- What a queue holds is counted in its session's row: with room on its page, no index is touched.
ALTER TABLE "mqtt_sessions" SET (fillfactor = 50);--> statement-breakpoint
CREATE FUNCTION porthouse_drop_mqtt_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM mqtt_sessions WHERE principal = TG_ARGV[0] || ':' || OLD.id;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "clients_mqtt_sessions" AFTER DELETE ON "clients" FOR EACH ROW EXECUTE FUNCTION porthouse_drop_mqtt_sessions('client');--> statement-breakpoint
CREATE TRIGGER "tokens_mqtt_sessions" AFTER DELETE ON "tokens" FOR EACH ROW EXECUTE FUNCTION porthouse_drop_mqtt_sessions('token');
