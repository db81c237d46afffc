/* What became of a batch that was sent. */
#pragma once

enum output_result {
    OUTPUT_TAKEN,
    OUTPUT_REFUSED, /* and would be again */
    OUTPUT_LATER,   /* perhaps it is taken another time */
};
