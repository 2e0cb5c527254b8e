CREATE TABLE "client_grants" (
	"client_id" uuid NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"room_id" uuid NOT NULL,
	"number" integer DEFAULT 0 NOT NULL,
	"send" boolean NOT NULL,
	"receive" boolean NOT NULL,
	"admit" boolean DEFAULT false NOT NULL,
	"channels" jsonb DEFAULT '[]'::jsonb NOT NULL,
	CONSTRAINT "client_grants_client_id_revision_room_id_number_pk" PRIMARY KEY("client_id","revision","room_id","number")
);
--> statement-breakpoint
CREATE TABLE "credentials" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"account_id" uuid NOT NULL,
	"client_id" uuid,
	"data" jsonb NOT NULL,
	"label" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "logins" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"client_id" uuid NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "offences" (
	"subject" text PRIMARY KEY NOT NULL,
	"score" double precision NOT NULL,
	"count" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "token_grants" DROP CONSTRAINT "token_grants_token_id_room_id_pk";--> statement-breakpoint
ALTER TABLE "clients" ADD COLUMN "max_sockets" integer;--> statement-breakpoint
ALTER TABLE "clients" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "token_grants" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "token_grants" ADD COLUMN "number" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "token_grants" ADD CONSTRAINT "token_grants_token_id_revision_room_id_number_pk" PRIMARY KEY("token_id","revision","room_id","number");--> statement-breakpoint
ALTER TABLE "token_grants" ADD COLUMN "admit" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "token_grants" ADD COLUMN "channels" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "method" text;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "rate_per_second" double precision;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "rate_burst" double precision;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "max_connections" integer;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "client_grants" ADD CONSTRAINT "client_grants_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "client_grants" ADD CONSTRAINT "client_grants_room_id_rooms_id_fk" FOREIGN KEY ("room_id") REFERENCES "public"."rooms"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "logins" ADD CONSTRAINT "logins_client_id_clients_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."clients"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "client_grants_room_id_index" ON "client_grants" USING btree ("room_id");--> statement-breakpoint
CREATE INDEX "credentials_account_id_index" ON "credentials" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "credentials_client_id_index" ON "credentials" USING btree ("client_id");--> statement-breakpoint
CREATE INDEX "logins_client_id_index" ON "logins" USING btree ("client_id");--> statement-breakpoint
CREATE INDEX "logins_expires_at_index" ON "logins" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "offences_at_index" ON "offences" USING btree ("at");--> statement-breakpoint
-- Tells of a changed row as KIND:UUID; arguments: the kind, and the column of the UUID. Row by row,
-- since a payload has 8,000 bytes; within a transaction PostgreSQL tells the same but once.
CREATE FUNCTION porthouse_notify() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	changed record;
BEGIN
	IF TG_OP = 'UPDATE' THEN
		IF NEW IS NOT DISTINCT FROM OLD THEN
			RETURN NULL;
		END IF;
	END IF;
	IF TG_OP = 'DELETE' THEN
		changed := OLD;
	ELSE
		changed := NEW;
	END IF;
	PERFORM pg_notify(
		'porthouse_changes',
		TG_ARGV[0] || ':' || (to_jsonb(changed) ->> TG_ARGV[1])
	);
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "accounts_notify" AFTER INSERT OR UPDATE OR DELETE ON "accounts" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('account', 'id');--> statement-breakpoint
CREATE TRIGGER "rooms_notify" AFTER INSERT OR UPDATE OR DELETE ON "rooms" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('room', 'id');--> statement-breakpoint
CREATE TRIGGER "clients_notify" AFTER INSERT OR UPDATE OR DELETE ON "clients" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('client', 'id');--> statement-breakpoint
CREATE TRIGGER "client_grants_notify" AFTER INSERT OR UPDATE OR DELETE ON "client_grants" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('client', 'client_id');--> statement-breakpoint
CREATE TRIGGER "credentials_notify" AFTER INSERT OR UPDATE OR DELETE ON "credentials" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('credential', 'id');--> statement-breakpoint
CREATE TRIGGER "tokens_notify" AFTER INSERT OR UPDATE OR DELETE ON "tokens" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('token', 'id');--> statement-breakpoint
CREATE TRIGGER "token_grants_notify" AFTER INSERT OR UPDATE OR DELETE ON "token_grants" FOR EACH ROW EXECUTE FUNCTION porthouse_notify('token', 'token_id');