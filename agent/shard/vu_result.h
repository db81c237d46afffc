/* How what a virtual user ran has ended: counted among the campaign's figures, and said to a person. */
#pragma once
#include "agent/shard/vu.h"

/* The function of the present phase has ended. `text` says why it failed, with STEP_FAILED and STEP_STOPPED;
 * it is taken. Gives the event that this is: one of VU_OK…, VU_FAILED… or VU_STOPPED. Of a step, a setup or a
 * global fixture vu->result and vu->failure_text say what is to be reported. */
enum vu_event vu_result_count(struct vu *vu, enum step_result result, char *text);
/* The delay of the step's scenario; 0: none. */
double vu_result_delay_s(const struct vu *vu);
