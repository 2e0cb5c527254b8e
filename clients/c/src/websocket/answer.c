/* The gateway's answer to the request for a WebSocket (RFC 6455, section 4.1). */
#include <string.h>

#include "porthouse/websocket.h"

/* Above all codes of the table. */
#define CODE_MAX 255

/* What has to be in it, a bit each, and what must not. */
enum {
    STATUS = 1,
    UPGRADE = 2,
    CONNECTION = 4,
    ACCEPT = 8,
    PROTOCOL = 16,
    COMPLETE = 31,
    WRONG = 32
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether `text` begins with `word`, which is in lower case. */
static bool begins(const char *text, const char *word)
{
    while (*word != '\0')
        if (lower(*text++) != *word++) return false;
    return true;
}

/* Whether a list of tokens, between commas, has this one. */
static bool lists(const char *text, const char *word)
{
    for (; text != NULL; text = strchr(text, ',')) {
        text += strspn(text, ", \t");
        if (begins(text, word) && strchr(", \t", text[strlen(word)]) != NULL) return true;
    }
    return false;
}

static uint32_t read_number(const char *text)
{
    uint32_t number = 0;
    while (*text >= '0' && *text <= '9' && number < 100000000)
        number = number * 10 + (uint32_t)(*text++ - '0');
    return number;
}

static void check(porthouse_websocket_t *websocket, bool right, uint8_t bit)
{
    websocket->seen |= right ? bit : WRONG;
}

static void read_status(porthouse_websocket_t *websocket, const char *line)
{
    if (begins(line, "http/1.1 ")) websocket->status = (uint16_t)(read_number(line + 9) % 1000);
    check(websocket, websocket->status == 101, STATUS);
}

static void read_header(porthouse_websocket_t *websocket, char *line)
{
    char *value = strchr(line, ':');
    if (value == NULL) return;
    value++;
    value += strspn(value, " \t");
    for (size_t end = strlen(value); end > 0 && strchr(" \t", value[end - 1]) != NULL; end--)
        value[end - 1] = '\0';
    if (begins(line, "upgrade:")) check(websocket, lists(value, "websocket"), UPGRADE);
    if (begins(line, "connection:")) check(websocket, lists(value, "upgrade"), CONNECTION);
    if (begins(line, "sec-websocket-accept:"))
        check(websocket, strcmp(value, websocket->accept) == 0, ACCEPT);
    if (begins(line, "sec-websocket-protocol:"))
        check(websocket, strcmp(value, "porthouse.v1") == 0, PROTOCOL);
    if (begins(line, "sec-websocket-extensions:")) websocket->seen |= WRONG;
    if (begins(line, "retry-after:")) websocket->retry_after_s = read_number(value);
}

/* The code of that name; what is not in the table, as the status says. */
static porthouse_websocket_state_t refuse(porthouse_websocket_t *websocket, const char *name)
{
    porthouse_code_t code = CODE_MAX;
    while (code != PORTHOUSE_OK && strcmp(porthouse_code_name(code), name) != 0) code--;
    /* 408 and 429 pass, and so does an answer that was cut, or any but 101 and 4xx. */
    uint16_t status = websocket->status;
    bool final = (websocket->seen & WRONG) && (status <= 101 || status / 100 == 4) &&
                 status != 408 && status != 429;
    if (code == PORTHOUSE_OK) code = final ? PORTHOUSE_HANDSHAKE_INVALID : PORTHOUSE_UNAVAILABLE;
    websocket->code = code;
    return PORTHOUSE_WEBSOCKET_REFUSED;
}

static porthouse_websocket_state_t violate(porthouse_websocket_t *websocket)
{
    websocket->seen |= WRONG;
    return refuse(websocket, "");
}

static porthouse_websocket_state_t end_line(porthouse_websocket_t *websocket)
{
    size_t length = websocket->line_length;
    char *line = websocket->line;
    websocket->line_length = 0;
    /* Longer than the ones that matter. */
    if (length > PORTHOUSE_WEBSOCKET_LINE_MAX) return PORTHOUSE_WEBSOCKET_WAITING;
    if (length > 0 && line[length - 1] == '\r') length--;
    line[length] = '\0';
    if (websocket->seen == 0) read_status(websocket, line);
    else if (length > 0) read_header(websocket, line);
    else if (websocket->seen == COMPLETE) return PORTHOUSE_WEBSOCKET_OPEN;
    else if (websocket->status > 101) websocket->in_body = true;
    else return violate(websocket);
    return PORTHOUSE_WEBSOCKET_WAITING;
}

/* Looks for "code":"NAME" in the problem document (RFC 9457), as the gateway writes it. */
static porthouse_websocket_state_t read_body(porthouse_websocket_t *websocket, char c)
{
    static const char before[] = "\"code\":\"";
    const size_t name = sizeof before - 1;
    char *line = websocket->line;
    size_t *length = &websocket->line_length;
    if (*length < name) {
        *length = c == before[*length] ? *length + 1 : c == before[0];
    } else if (c == '"') {
        line[*length] = '\0';
        return refuse(websocket, line + name);
    } else if (*length < PORTHOUSE_WEBSOCKET_LINE_MAX) {
        line[(*length)++] = c;
    }
    return PORTHOUSE_WEBSOCKET_WAITING;
}

porthouse_websocket_state_t porthouse_websocket_answer(porthouse_websocket_t *websocket,
                                                       const void *bytes, size_t length,
                                                       size_t *used)
{
    const char *text = bytes;
    porthouse_websocket_state_t state = PORTHOUSE_WEBSOCKET_WAITING;
    *used = 0;
    if (length == 0) return refuse(websocket, "");
    while (*used < length && state == PORTHOUSE_WEBSOCKET_WAITING) {
        char c = text[(*used)++];
        if (websocket->taken++ == PORTHOUSE_WEBSOCKET_ANSWER_MAX) return violate(websocket);
        if (websocket->in_body) state = read_body(websocket, c);
        else if (c == '\n') state = end_line(websocket);
        else if (websocket->line_length++ < PORTHOUSE_WEBSOCKET_LINE_MAX)
            websocket->line[websocket->line_length - 1] = c;
    }
    return state;
}
