DROP INDEX "credentials_account_id_index";--> statement-breakpoint
DROP INDEX "tokens_account_id_index";--> statement-breakpoint
DROP INDEX "tokens_client_id_index";--> statement-breakpoint
ALTER TABLE "clients" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "tokens" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX "clients_by_slug" ON "clients" USING btree ("account_id","slug" collate "C");--> statement-breakpoint
CREATE INDEX "credentials_account_id_client_id_created_at_id_index" ON "credentials" USING btree ("account_id","client_id","created_at","id");--> statement-breakpoint
CREATE INDEX "rooms_by_slug" ON "rooms" USING btree ("account_id","slug" collate "C");--> statement-breakpoint
CREATE INDEX "tokens_account_id_created_at_id_index" ON "tokens" USING btree ("account_id","created_at","id");--> statement-breakpoint
CREATE INDEX "tokens_client_id_created_at_id_index" ON "tokens" USING btree ("client_id","created_at","id");