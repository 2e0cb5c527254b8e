/* Rooms, and where they go on [PH-7, PH-16]. */
#include "check.h"
#include "peer.h"

static peer_t peer;
static const porthouse_join_t boiler = {.address = PORTHOUSE_TEXT("room:acme/boiler")};

static void ask(const porthouse_join_t *join)
{
    peer_init(&peer);
    CHECK(porthouse_join(&peer.client, join) == PORTHOUSE_OK);
    peer_welcome(&peer);
}

/* The Join that went with the greeting. */
static porthouse_Join asked(void)
{
    porthouse_Room room = porthouse_Room_init_zero;
    CHECK(peer.frame_count == 2 && peer.frames[1].kind == porthouse_Frame_room_tag);
    CHECK(porthouse_read(peer.frames[1].body, &porthouse_Room_msg, &room));
    CHECK(room.which_action == porthouse_Room_join_tag);
    return room.action.join;
}

static void joined(uint32_t id, const porthouse_Joined *says)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.id = id;
    frame.which_body = porthouse_Frame_room_tag;
    frame.body.room.which_action = porthouse_Room_joined_tag;
    frame.body.room.action.joined = *says;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_JOINED);
}

/* Enters at epoch 3, position 10. */
static void enter(void)
{
    porthouse_Joined says = porthouse_Joined_init_zero;
    says.route = 7;
    says.address = boiler.address;
    says.epoch = 3;
    says.sequence = 10;
    says.may_send = says.listening = true;
    joined(peer.frames[1].id, &says);
}

static void hear(uint64_t sequence, porthouse_Replay replay)
{
    static const uint8_t uuid[16] = {1};
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_Stamp *stamp = &frame.body.envelope.stamp;
    frame.which_body = porthouse_Frame_envelope_tag;
    frame.body.envelope.has_stamp = true;
    stamp->id.data = uuid;
    stamp->id.length = sizeof uuid;
    stamp->route = 7;
    stamp->sequence = sequence;
    stamp->replay = replay;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_MESSAGE);
}

static void caught_up(const char *address, uint64_t sequence)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.which_body = porthouse_Frame_room_tag;
    frame.body.room.which_action = porthouse_Room_caught_up_tag;
    frame.body.room.action.caught_up.route = 7;
    frame.body.room.action.caught_up.address = porthouse_view(address);
    frame.body.room.action.caught_up.sequence = sequence;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_CAUGHT_UP);
}

static void reconnect(void)
{
    porthouse_closed(&peer.client, peer.now_ms, 1006);
    CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
    CHECK(porthouse_room(&peer.client, boiler.address)->route == 0);
    peer.now_ms += peer.event.as.ended.delay_ms;
    porthouse_tick(&peer.client, peer.now_ms);
    peer_welcome(&peer);
}

static void enters(void)
{
    const porthouse_send_t message = {.to = PORTHOUSE_TEXT("room:acme/boiler"),
                                      .channel = PORTHOUSE_TEXT("temp")};
    porthouse_Envelope envelope = porthouse_Envelope_init_zero;
    ask(&boiler);
    CHECK(porthouse_is(asked().address, "room:acme/boiler") && asked().which_backlog == 0);
    enter();
    const porthouse_room_t *room = porthouse_room(&peer.client, boiler.address);
    CHECK(room->route == 7 && room->may_send && room->listening);
    CHECK(room->epoch == 3 && room->sequence == 10);
    /* By its address, a message goes by its route. */
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    CHECK(peer_take(&peer));
    CHECK(porthouse_read(peer.frames[0].body, &porthouse_Envelope_msg, &envelope));
    CHECK(envelope.routing.route == 7 && envelope.routing.to.count == 0);
    CHECK(porthouse_is(envelope.routing.channel, "temp"));
}

static void goes_on(void)
{
    ask(&boiler);
    enter();
    hear(14, porthouse_Replay_REPLAY_UNSPECIFIED);
    hear(12, porthouse_Replay_REPLAY_RETAINED);
    reconnect();
    CHECK(asked().which_backlog == porthouse_Join_after_tag);
    CHECK(asked().backlog.after.epoch == 3 && asked().backlog.after.sequence == 14);
}

/* Cut off in the middle of the past, it goes on there, whatever it heard that was live. */
static void goes_on_in_the_past(void)
{
    porthouse_Joined says = porthouse_Joined_init_zero;
    ask(&boiler);
    enter();
    reconnect();
    says.route = 7;
    says.epoch = 3;
    says.sequence = 20;
    says.has_backlog = says.backlog.recovered = true;
    says.backlog.after_sequence = 10;
    joined(peer.frames[1].id, &says);
    hear(11, porthouse_Replay_REPLAY_HISTORY);
    hear(21, porthouse_Replay_REPLAY_UNSPECIFIED);
    reconnect();
    CHECK(asked().backlog.after.sequence == 11);
    says.backlog.after_sequence = 11;
    joined(peer.frames[1].id, &says);
    caught_up("room:acme/boiler", 20);
    reconnect();
    CHECK(asked().backlog.after.sequence == 20);
}

/* Of one room two channels, and the past of both: nothing is skipped, whichever comes first. */
static void two_pasts(void)
{
    const porthouse_join_t temp = {.address = PORTHOUSE_TEXT("room:acme/boiler/temp"),
                                   .since = PORTHOUSE_AFTER,
                                   .epoch = 3,
                                   .sequence = 5};
    porthouse_join_t pump = temp;
    porthouse_Joined says = porthouse_Joined_init_zero;
    pump.address = porthouse_view("room:acme/boiler/pump");
    pump.sequence = 2;
    peer_init(&peer);
    CHECK(porthouse_join(&peer.client, &temp) == PORTHOUSE_OK);
    CHECK(porthouse_join(&peer.client, &pump) == PORTHOUSE_OK);
    peer_welcome(&peer);
    const uint32_t ids[] = {peer.frames[1].id, peer.frames[2].id};
    says.route = 7;
    says.epoch = 3;
    says.sequence = 20;
    says.has_backlog = says.backlog.recovered = true;
    joined(ids[0], &says);
    joined(ids[1], &says);
    const porthouse_room_t *rooms[] = {porthouse_room(&peer.client, temp.address),
                                       porthouse_room(&peer.client, pump.address)};
    hear(9, porthouse_Replay_REPLAY_HISTORY);
    CHECK(rooms[0]->sequence == 5 && rooms[1]->sequence == 2);
    caught_up("room:acme/boiler/temp", 20);
    hear(9, porthouse_Replay_REPLAY_HISTORY);
    hear(21, porthouse_Replay_REPLAY_UNSPECIFIED);
    CHECK(rooms[0]->sequence == 21 && rooms[1]->sequence == 9);
    caught_up("room:acme/boiler/pump", 20);
    hear(22, porthouse_Replay_REPLAY_UNSPECIFIED);
    CHECK(rooms[0]->sequence == 22 && rooms[1]->sequence == 22);
}

static void begins_anew(void)
{
    porthouse_Joined says = porthouse_Joined_init_zero;
    ask(&boiler);
    enter();
    reconnect();
    says.route = 8;
    says.epoch = 4;
    says.sequence = 5;
    says.has_backlog = true;
    says.backlog.code = porthouse_Code_CODE_EPOCH_CHANGED;
    says.backlog.after_sequence = 1;
    joined(peer.frames[1].id, &says);
    const porthouse_room_t *room = porthouse_room(&peer.client, boiler.address);
    CHECK(room->epoch == 4 && room->sequence == 1 && room->route == 8);
    says.backlog.code = porthouse_Code_CODE_NO_HISTORY;
    reconnect();
    joined(peer.frames[1].id, &says);
    CHECK(room->sequence == 5);
}

static void asks_for_the_past(void)
{
    porthouse_join_t join = boiler;
    join.since = PORTHOUSE_LAST;
    join.sequence = 50;
    join.presence = join.replayed = true;
    ask(&join);
    CHECK(asked().which_backlog == porthouse_Join_last_tag && asked().backlog.last == 50);
    CHECK(asked().presence && asked().replayed);
    join.since = PORTHOUSE_UNREAD;
    ask(&join);
    CHECK(asked().which_backlog == porthouse_Join_unread_tag && asked().backlog.unread);
    join.send_only = true;
    ask(&join);
    CHECK(asked().which_backlog == 0 && asked().send_only);
}

static void refused(void)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    ask(&boiler);
    frame.id = peer.frames[1].id;
    frame.which_body = porthouse_Frame_drop_tag;
    frame.body.drop.code = porthouse_Code_CODE_ROOM_FULL;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_REFUSED);
    CHECK(peer.event.code == PORTHOUSE_ROOM_FULL);
    CHECK(porthouse_same(peer.event.as.drop.address, boiler.address));
    CHECK(!porthouse_room(&peer.client, boiler.address));
}

static void leaves(void)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    ask(&boiler);
    enter();
    CHECK(porthouse_leave(&peer.client, boiler.address) == PORTHOUSE_OK);
    peer_taken(&peer, porthouse_Frame_room_tag);
    frame.id = peer.frames[0].id;
    frame.which_body = porthouse_Frame_room_tag;
    frame.body.room.which_action = porthouse_Room_left_tag;
    frame.body.room.action.left.address = boiler.address;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_LEFT);
    CHECK(!porthouse_room(&peer.client, boiler.address));
    CHECK(porthouse_leave(&peer.client, boiler.address) == PORTHOUSE_TARGET_UNKNOWN);
}

static void is_taken_out(void)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    ask(&boiler);
    enter();
    frame.which_body = porthouse_Frame_room_tag;
    frame.body.room.which_action = porthouse_Room_left_tag;
    frame.body.room.action.left.address = boiler.address;
    frame.body.room.action.left.code = porthouse_Code_CODE_ROOM_UNKNOWN;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_LEFT);
    CHECK(peer.event.code == PORTHOUSE_ROOM_UNKNOWN);
    CHECK(!porthouse_room(&peer.client, boiler.address));
}

static void is_told_of_loss(void)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    ask(&boiler);
    enter();
    frame.which_body = porthouse_Frame_room_tag;
    frame.body.room.which_action = porthouse_Room_lost_tag;
    frame.body.room.action.lost.count = 4;
    frame.body.room.action.lost.code = porthouse_Code_CODE_SLOW_CONSUMER;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_LOST);
    CHECK(peer.event.as.lost.count == 4 && peer.event.code == PORTHOUSE_SLOW_CONSUMER);
}

static void are_bounded(void)
{
    static const char addresses[][8] = {"room:a", "room:b", "room:c", "room:d", "room:e"};
    porthouse_join_t join = {.send_only = true};
    peer_init(&peer);
    CHECK(porthouse_join(&peer.client, &join) == PORTHOUSE_ADDRESS_INVALID);
    for (int i = 0; i < 5; i++) {
        join.address = porthouse_view(addresses[i]);
        CHECK(porthouse_join(&peer.client, &join) == (i < 4 ? PORTHOUSE_OK : PORTHOUSE_ROOM_LIMIT));
    }
    CHECK(porthouse_leave(&peer.client, porthouse_view("room:b")) == PORTHOUSE_OK);
    CHECK(porthouse_join(&peer.client, &join) == PORTHOUSE_OK);
}

/* What the buffer has no place for follows when it has. */
static void wait_for_a_place(void)
{
    peer_init(&peer);
    peer.options.out.size = 48;
    CHECK(porthouse_join(&peer.client, &boiler) == PORTHOUSE_OK);
    peer_open(&peer);
    CHECK(peer.frame_count == 1);
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.id = peer.frames[0].id;
    frame.which_body = porthouse_Frame_welcome_tag;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_WELCOME);
    peer_taken(&peer, porthouse_Frame_room_tag);
}

const check_t room_tests[] = {
    {"a room is entered, and known by its route", enters},
    {"a reconnection goes on after what was heard [PH-16.1]", goes_on},
    {"a reconnection goes on in the middle of the past", goes_on_in_the_past},
    {"two pasts of one room are told apart", two_pasts},
    {"another epoch begins anew [PH-16.2]", begins_anew},
    {"a join asks for what was before", asks_for_the_past},
    {"a refused room is told by its address", refused},
    {"a room is left", leaves},
    {"a client is taken out of a room", is_taken_out},
    {"what is lost is told [PH-10.5]", is_told_of_loss},
    {"rooms are bounded", are_bounded},
    {"joins wait for a place in the buffer", wait_for_a_place},
    CHECK_END,
};
