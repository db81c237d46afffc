/* The addresses of a coordinator, and the way to one. */
#include "cli/doctor/doctor.h"

#include "agent/main/endpoint.h"
#include "agent/main/name_lookup.h"
#include "coordinator/http/listener.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "tcp://"
#define LOOKUP_MS 5000u
#define CONNECT_MS 3000u

static void doctor_try_listen(const struct doctor *doctor, const char *check, const char *text)
{
    struct listener_address address;
    struct error error;
    if (!listener_parse(text, &address, &error)) {
        findings_add(doctor->findings, FINDING_FAIL, check, "%s", error.text);
        findings_advise(doctor->findings, "it has the form ADDRESS:PORT");
        return;
    }
    int descriptor = listener_open(&address, &error);
    if (descriptor >= 0) {
        (void)close(descriptor);
        findings_add(doctor->findings, FINDING_OK, check, "%s is free", text);
        return;
    }
    findings_add(doctor->findings, FINDING_WARN, check, "%s", error.text);
    findings_advise(doctor->findings,
                    "where a coordinator runs already, that is it; else give another address");
}

void doctor_listen(const struct doctor *doctor)
{
    bool has_scheme = strncmp(doctor->listen, SCHEME, strlen(SCHEME)) == 0;
    doctor_try_listen(doctor, "listen", has_scheme ? doctor->listen + strlen(SCHEME) : doctor->listen);
    doctor_try_listen(doctor, "http", doctor->http);
}

/* One attempt: a name, and then its addresses one after the other. */
struct doctor_attempt {
    const struct doctor *doctor;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_tcp_t connection;
    uv_connect_t request;
    struct name_lookup *lookup; /* NULL: the host is an address */
    struct name_found found;
    size_t at;
    bool is_open; /* the connection's handle */
    bool is_reached;
    size_t reached_at;
    int status; /* of the last connection */
};

static void attempt_next(struct doctor_attempt *attempt);

static void attempt_on_closed(uv_handle_t *handle)
{
    struct doctor_attempt *attempt = handle->data;
    attempt->is_open = false;
    if (attempt->is_reached) {
        uv_stop(&attempt->loop);
    } else {
        attempt->at++;
        attempt_next(attempt);
    }
}

static void attempt_close(struct doctor_attempt *attempt, int status)
{
    (void)uv_timer_stop(&attempt->timer);
    if (attempt->is_open && uv_is_closing((const uv_handle_t *)&attempt->connection) == 0) {
        attempt->status = status;
        uv_close((uv_handle_t *)&attempt->connection, attempt_on_closed);
    }
}

static void attempt_on_connected(uv_connect_t *request, int status)
{
    struct doctor_attempt *attempt = request->data;
    attempt->is_reached = status == 0;
    attempt->reached_at = attempt->at;
    attempt_close(attempt, status);
}

static void attempt_on_timer(uv_timer_t *timer)
{
    struct doctor_attempt *attempt = timer->data;
    if (attempt->is_open) {
        attempt_close(attempt, UV_ETIMEDOUT);
    } else {
        attempt->found.failure = "no name server answers";
        uv_stop(&attempt->loop);
    }
}

static void attempt_next(struct doctor_attempt *attempt)
{
    struct sockaddr_storage socket;
    if (attempt->at >= attempt->found.count) {
        uv_stop(&attempt->loop);
        return;
    }
    (void)address_to_socket(&attempt->found.addresses[attempt->at],
                            endpoint_port(attempt->doctor->coordinator), &socket);
    (void)uv_tcp_init(&attempt->loop, &attempt->connection);
    attempt->connection.data = attempt->request.data = attempt;
    attempt->is_open = true;
    (void)uv_timer_start(&attempt->timer, attempt_on_timer, CONNECT_MS, 0);
    int result = uv_tcp_connect(&attempt->request, &attempt->connection, (const struct sockaddr *)&socket,
                                attempt_on_connected);
    if (result != 0) {
        attempt_close(attempt, result);
    }
}

static void attempt_on_found(void *context, const struct name_found *found)
{
    struct doctor_attempt *attempt = context;
    attempt->found = *found;
    (void)uv_timer_stop(&attempt->timer);
    attempt_next(attempt);
}

static void attempt_run(struct doctor_attempt *attempt, const char *host)
{
    int result = uv_loop_init(&attempt->loop);
    assert(result == 0);
    (void)result;
    (void)uv_timer_init(&attempt->loop, &attempt->timer);
    attempt->timer.data = attempt;
    if (address_parse(bytes_of_string(host), &attempt->found.addresses[0])) {
        attempt->found.count = 1;
        attempt_next(attempt);
    } else {
        attempt->lookup = name_lookup_new(&attempt->loop, attempt_on_found, attempt);
        (void)uv_timer_start(&attempt->timer, attempt_on_timer, LOOKUP_MS, 0);
        name_lookup_start(attempt->lookup, host);
    }
    (void)uv_run(&attempt->loop, UV_RUN_DEFAULT);
    attempt->at = NAME_LOOKUP_ADDRESSES; /* no further one is tried */
    name_lookup_close(&attempt->lookup);
    uv_close((uv_handle_t *)&attempt->timer, NULL);
    (void)uv_run(&attempt->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&attempt->loop);
}

static void doctor_tell_reach(const struct doctor *doctor, const struct doctor_attempt *attempt, size_t at)
{
    if (attempt->is_reached) {
        char address[ADDRESS_TEXT_BYTES];
        address_text(&attempt->found.addresses[at], address);
        findings_add(doctor->findings, FINDING_OK, "coordinator", "%s accepts connections, at %s",
                     doctor->coordinator, address);
        return;
    }
    findings_add(doctor->findings, FINDING_FAIL, "coordinator", "%s cannot be reached: %s",
                 doctor->coordinator, uv_strerror(attempt->status));
    findings_advise(
        doctor->findings, "%s",
        attempt->status == UV_ECONNREFUSED
            ? "start it, and let it listen on more than loopback: --listen tcp://0.0.0.0:7440 --keys DIR"
            : "look at routes and firewalls on the way; agents connect to its port 7440");
}

void doctor_reach(const struct doctor *doctor)
{
    char host[NAME_LOOKUP_HOST_BYTES];
    struct doctor_attempt attempt = {.doctor = doctor};
    if (doctor->coordinator == NULL) {
        findings_add(doctor->findings, FINDING_OK, "coordinator", "none given (--coordinator)");
        return;
    }
    endpoint_host(doctor->coordinator, host, sizeof host);
    attempt_run(&attempt, host);
    if (attempt.found.failure != NULL) {
        findings_add(doctor->findings, FINDING_FAIL, "coordinator", "the name %s cannot be resolved: %s",
                     host, attempt.found.failure);
        findings_advise(doctor->findings,
                        "look at the name, /etc/hosts and /etc/resolv.conf, or give an address");
        return;
    }
    doctor_tell_reach(doctor, &attempt, attempt.reached_at);
}
