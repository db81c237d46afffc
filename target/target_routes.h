/* The routes of the practice target: one row each. */
#pragma once
#include "target/target_request.h"

struct target_route {
    const char *method;  /* NULL for any; routes for GET also accept HEAD */
    const char *pattern; /* everything from the first upper-case letter on is the argument */
    enum MHD_Result (*answer)(struct target_request *request);
    const char *help;
};

/* Finds the route and answers. */
enum MHD_Result target_route(struct target_request *request);
/* Answers that do not depend on state. */
void target_routes_prepare(struct target_scene *scene);

/* In target_answers.c. */
enum MHD_Result target_answer_status(struct target_request *request);
enum MHD_Result target_answer_delay(struct target_request *request);
enum MHD_Result target_answer_bytes(struct target_request *request);
enum MHD_Result target_answer_headers(struct target_request *request);
enum MHD_Result target_answer_cookies(struct target_request *request);
enum MHD_Result target_answer_cookies_set(struct target_request *request);
enum MHD_Result target_answer_redirect(struct target_request *request);
enum MHD_Result target_answer_basic_auth(struct target_request *request);
enum MHD_Result target_answer_tcp(struct target_request *request);
enum MHD_Result target_answer_echo(struct target_request *request);

/* In target_socket_answers.c: the argument is the room, "" for none. */
enum MHD_Result target_answer_socket(struct target_request *request);

/* In target_polling.c. */
enum MHD_Result target_answer_session_get(struct target_request *request);
enum MHD_Result target_answer_session_post(struct target_request *request);

/* In target_events.c. */
enum MHD_Result target_answer_events(struct target_request *request);

/* In target_pad_answers.c. */
enum MHD_Result target_answer_pad_get(struct target_request *request);
enum MHD_Result target_answer_pad_put(struct target_request *request);
enum MHD_Result target_answer_pad_delete(struct target_request *request);
