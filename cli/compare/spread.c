/* Student's t, and the error of a mean of a series. */
#include "cli/compare/spread.h"

#include <math.h>

#define FRACTION_TERMS 300
#define FRACTION_PRECISION 1e-12
#define FRACTION_TINY 1e-300
#define BISECTIONS 100
#define LARGEST_T 1e9
/* Neighbours that resemble each other more than this are taken to do so by this much: else a few values would
 * stand for none. */
#define LARGEST_RESEMBLANCE 0.9

static double series_mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return count > 0 ? sum / (double)count : 0;
}

struct spread spread_of_series(const double *values, size_t count)
{
    struct spread spread = {.mean = series_mean(values, count)};
    double squares = 0;
    double products = 0;
    if (count < SPREAD_MIN_VALUES) {
        return spread;
    }
    for (size_t i = 0; i < count; i++) {
        double off = values[i] - spread.mean;
        squares += off * off;
        products += i > 0 ? off * (values[i - 1] - spread.mean) : 0;
    }
    /* Of a short series it comes out too small, by about this much. */
    double resemblance = squares > 0 ? products / squares : 0;
    resemblance += (1 + 4 * resemblance) / (double)count;
    resemblance = fmin(fmax(resemblance, 0), LARGEST_RESEMBLANCE);
    double independent = (double)count * (1 - resemblance) / (1 + resemblance);
    spread.error = sqrt(squares / (double)(count - 1) / independent);
    spread.freedom = fmax(independent - 1, 1);
    return spread;
}

static double fraction_guard(double value)
{
    return fabs(value) < FRACTION_TINY ? FRACTION_TINY : value;
}

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / fraction_guard(1 - (a + b) * x / (a + 1));
    double fraction = d;
    for (int i = 1; i <= FRACTION_TERMS; i++) {
        double even = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i));
        d = 1 / fraction_guard(1 + even * d);
        c = fraction_guard(1 + even / c);
        fraction *= d * c;
        double odd = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1));
        d = 1 / fraction_guard(1 + odd * d);
        c = fraction_guard(1 + odd / c);
        fraction *= d * c;
        if (fabs(d * c - 1) < FRACTION_PRECISION) {
            break;
        }
    }
    return fraction;
}

/* The regularised incomplete beta function. */
static double beta_share(double a, double b, double x)
{
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) {
        return front * beta_fraction(a, b, x) / a;
    }
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_probability(double t, double freedom)
{
    return beta_share(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double student_limit(double probability, double freedom)
{
    double low = 0;
    double high = LARGEST_T;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = high > 2 * low + 1 ? sqrt((low + 1e-3) * high) : (low + high) / 2;
        if (student_probability(middle, freedom) > probability) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}
