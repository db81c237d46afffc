/* The handshakes of WebSocket (RFC 6455 section 4.2). */
#include "target/target_routes.h"
#include "target/target_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define ACCEPT_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_BYTES 24u
#define SHA1_BYTES 20u
#define ACCEPT_BYTES 29u
#define PROTOCOL_BYTES 100u

/* `context` is that of the request, which lives as long as its connection. */
static void on_upgraded(void *argument, struct MHD_Connection *connection, void *context, const char *extra,
                        size_t extra_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct target_request *request = context;
    const int yes = 1;
    (void)argument;
    (void)connection;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const struct target_socket_wire wire = {.handle = handle, .fd = fd, .extra = bytes_of(extra, extra_size)};
    struct target_socket_use use = {.room = request->argument[0] != '\0' ? request->argument : NULL,
                                    .is_probe = request->session != NULL,
                                    .session = request->session};
    request->session = NULL;
    if (request->plan.version != 0 && use.session == NULL) {
        use.session = sessions_open(request->scene->sessions, &request->plan);
        if (use.session == NULL) {
            (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
            return;
        }
    }
    if (request->socket != NULL) {
        target_sockets_attach(request->scene->sockets, request->socket, &wire);
        request->socket = NULL;
    } else {
        target_sockets_add(request->scene->sockets, &use, &wire);
    }
}

static void compute_accept(const char *key, char accept[ACCEPT_BYTES])
{
    char text[KEY_BYTES + sizeof ACCEPT_SUFFIX];
    unsigned char digest[EVP_MAX_MD_SIZE];
    memcpy(text, key, KEY_BYTES);
    memcpy(text + KEY_BYTES, ACCEPT_SUFFIX, sizeof ACCEPT_SUFFIX);
    (void)EVP_Digest(text, sizeof text - 1, digest, NULL, EVP_sha1(), NULL);
    (void)EVP_EncodeBlock((unsigned char *)accept, digest, SHA1_BYTES);
}

/* The first subprotocol that is offered is the one that we speak. */
static void add_protocol(const struct target_request *request, struct MHD_Response *response)
{
    const char *offered = target_request_header(request, "Sec-WebSocket-Protocol");
    char protocol[PROTOCOL_BYTES] = "";
    size_t length = offered != NULL ? strcspn(offered, ", ") : 0;
    if (length > 0 && length < sizeof protocol) {
        memcpy(protocol, offered, length);
        MHD_add_response_header(response, "Sec-WebSocket-Protocol", protocol);
    }
}

static const char *refuse_handshake(const struct target_request *request)
{
    const char *upgrade = target_request_header(request, MHD_HTTP_HEADER_UPGRADE);
    const char *version = target_request_header(request, "Sec-WebSocket-Version");
    const char *key = target_request_header(request, "Sec-WebSocket-Key");
    if (upgrade == NULL || strcasecmp(upgrade, "websocket") != 0) {
        return "this is a WebSocket: ask with Upgrade: websocket\n";
    }
    if (version == NULL || strcmp(version, "13") != 0) {
        return "Sec-WebSocket-Version has to be 13\n";
    }
    if (key == NULL || strlen(key) != KEY_BYTES) {
        return "Sec-WebSocket-Key has to be 16 bytes as base64\n";
    }
    return NULL;
}

enum MHD_Result target_answer_socket(struct target_request *request)
{
    char accept[ACCEPT_BYTES];
    const char *why = refuse_handshake(request);
    if (why != NULL) {
        return target_answer_text(request, MHD_HTTP_BAD_REQUEST, "%s", why);
    }
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, NULL);
    if (response == NULL) {
        return MHD_NO;
    }
    compute_accept(target_request_header(request, "Sec-WebSocket-Key"), accept);
    MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
    add_protocol(request, response);
    if (request->argument[0] != '\0' && request->session == NULL && request->plan.version == 0) {
        request->socket = target_sockets_join(request->scene->sockets, request->argument);
    }
    return target_answer(request, MHD_HTTP_SWITCHING_PROTOCOLS, response);
}
