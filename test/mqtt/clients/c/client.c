/*
 * A user's client by the paho library of C. It connects, subscribes where it is told to, prints
 * what it hears, and publishes what stdin says, a line `TOPIC MESSAGE` each; stdin's end ends it.
 */
#define _POSIX_C_SOURCE 200809L
#include <MQTTClient.h>
#include <getopt.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds each exchange with the gateway, in milliseconds. */
#define PATIENCE_MS 20000

struct options {
    int port, version, qos;
    char *user, *password, *id, *filter;
};

static const struct option FLAGS[] = {
    {"port", required_argument, NULL, 'p'},     {"version", required_argument, NULL, 'v'},
    {"qos", required_argument, NULL, 'q'},      {"user", required_argument, NULL, 'u'},
    {"password", required_argument, NULL, 'P'}, {"id", required_argument, NULL, 'i'},
    {"filter", required_argument, NULL, 'f'},   {NULL, 0, NULL, 0},
};

static struct options read_options(int argc, char **argv) {
    struct options given = {.port = 1883, .version = 4, .id = ""};
    int flag;
    while ((flag = getopt_long(argc, argv, "", FLAGS, NULL)) != -1) switch (flag) {
        case 'p': given.port = atoi(optarg); break;
        case 'v': given.version = atoi(optarg); break;
        case 'q': given.qos = atoi(optarg); break;
        case 'u': given.user = optarg; break;
        case 'P': given.password = optarg; break;
        case 'i': given.id = optarg; break;
        case 'f': given.filter = optarg; break;
        default: exit(2);
    }
    return given;
}

static void fail(const char *what, int code) {
    fprintf(stderr, "%s: %d\n", what, code);
    exit(1);
}

/* In MQTT 5 the library tells reasons here alone. */
static sem_t answered;
static int reason;

static void published(void *context, int token, int type, MQTTProperties *properties,
                      enum MQTTReasonCodes code) {
    (void)context, (void)token, (void)type, (void)properties;
    reason = code;
    sem_post(&answered);
}

static int heard(void *context, char *topic, int length, MQTTClient_message *message) {
    (void)context, (void)length;
    printf("heard %d %s %.*s\n", message->qos, topic, message->payloadlen,
           (char *)message->payload);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return 1;
}

static MQTTClient connect_to(struct options given) {
    char address[64];
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", given.port);
    MQTTClient_createOptions how = MQTTClient_createOptions_initializer;
    how.MQTTVersion = given.version;
    MQTTClient client;
    int code = MQTTClient_createWithOptions(&client, address, given.id,
                                            MQTTCLIENT_PERSISTENCE_NONE, NULL, &how);
    if (code != MQTTCLIENT_SUCCESS) fail("create", code);
    MQTTClient_setCallbacks(client, NULL, NULL, heard, NULL);
    MQTTClient_connectOptions three = MQTTClient_connectOptions_initializer;
    MQTTClient_connectOptions five = MQTTClient_connectOptions_initializer5;
    MQTTClient_connectOptions options = given.version == 5 ? five : three;
    options.MQTTVersion = given.version;
    options.username = given.user;
    options.password = given.password;
    if (given.version == 5) {
        MQTTClient_setPublished(client, NULL, published);
        MQTTResponse answer = MQTTClient_connect5(client, &options, NULL, NULL);
        code = answer.reasonCode;
        MQTTResponse_free(answer);
    } else {
        code = MQTTClient_connect(client, &options);
    }
    if (code != 0) fail("refused with", code);
    return client;
}

static int subscribe_to(MQTTClient client, struct options given) {
    if (given.version != 5) {
        /* Only of many does the library tell what was granted: in place of what was asked for. */
        int code = MQTTClient_subscribeMany(client, 1, &given.filter, &given.qos);
        if (code != 0) fail("subscribe", code);
        return given.qos;
    }
    MQTTResponse answer =
        MQTTClient_subscribe5(client, given.filter, given.qos, NULL, NULL);
    int granted = answer.reasonCode;
    MQTTResponse_free(answer);
    return granted;
}

static int publish(MQTTClient client, struct options given, const char *topic, char *message) {
    MQTTClient_message sent = MQTTClient_message_initializer;
    MQTTClient_deliveryToken token;
    sent.payload = message;
    sent.payloadlen = (int)strlen(message);
    sent.qos = given.qos;
    if (given.version != 5) {
        int code = MQTTClient_publishMessage(client, topic, &sent, &token);
        if (code == 0) code = MQTTClient_waitForCompletion(client, token, PATIENCE_MS);
        if (code != 0) fail("publish", code);
        return 0;
    }
    MQTTResponse answer = MQTTClient_publishMessage5(client, topic, &sent, &token);
    if (answer.reasonCode != 0) fail("publish", answer.reasonCode);
    MQTTResponse_free(answer);
    if (given.qos == 0) return 0;
    sem_wait(&answered);
    return reason;
}

int main(int argc, char **argv) {
    struct options given = read_options(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    sem_init(&answered, 0, 0);
    MQTTClient client = connect_to(given);
    printf("connected\n");
    if (given.filter != NULL) printf("subscribed %d\n", subscribe_to(client, given));
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        if (line[length - 1] == '\n') line[length - 1] = '\0';
        char *blank = strchr(line, ' ');
        if (blank == NULL) fail("no message", 0);
        *blank = '\0';
        printf("published %d\n", publish(client, given, line, blank + 1));
    }
    free(line);
    if (given.version == 5)
        MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL);
    else
        MQTTClient_disconnect(client, 1000);
    MQTTClient_destroy(&client);
    return 0;
}
