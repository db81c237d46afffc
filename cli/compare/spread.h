/* How far a mean may be off by chance: Student's t, and means of a series whose neighbours resemble each
 * other. Pure. */
#pragma once
#include <stddef.h>

/* A mean, the standard error of it, and its degrees of freedom; 0 of these: the error is not known. */
struct spread {
    double mean;
    double error;
    double freedom;
};

/* Values that follow each other in time: where neighbours resemble each other, they count as fewer. Fewer
 * than SPREAD_MIN_VALUES tell nothing of the error. */
#define SPREAD_MIN_VALUES 5u
struct spread spread_of_series(const double *values, size_t count);

/* The probability that |t| is at least this large by chance. */
double student_probability(double t, double freedom);
/* The |t| that chance exceeds with this probability, which is in 0…1, both excluded. */
double student_limit(double probability, double freedom);
