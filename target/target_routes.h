/* What the practice target answers: one row a route. */
#pragma once
#include "target/target_request.h"

struct target_route {
    const char *method;  /* NULL for any; what takes GET takes HEAD too */
    const char *pattern; /* from the first capital letter on, it stands for the argument */
    enum MHD_Result (*answer)(struct target_request *request);
    const char *help;
};

/* Finds the route and answers. */
enum MHD_Result target_route(struct target_request *request);
/* The answers that are the same for everybody. */
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
enum MHD_Result target_answer_echo(struct target_request *request);

/* In target_pad_answers.c. */
enum MHD_Result target_answer_pad_get(struct target_request *request);
enum MHD_Result target_answer_pad_put(struct target_request *request);
enum MHD_Result target_answer_pad_delete(struct target_request *request);
