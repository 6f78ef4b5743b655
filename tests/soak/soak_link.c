/* What a link does to many packets, against what was asked of it: rates within
 * four standard deviations, distributions by Kolmogorov and Smirnov's test,
 * independence by correlation. Seeds are fixed, so a verdict is for ever. */
#include <math.h>
#include <string.h>

#include "tests/support/wirebench.h"

enum { PACKETS = 200000, BYTES = 1000 };

/* D * sqrt(n) is above this once in about ten thousand samples. */
#define KS_LIMIT 2.23

typedef struct Losses {
    uint32_t n;
    uint8_t *lost; /* owns: by packet, in order of sending */
} Losses;

static LinkParams
soak_params(void)
{
    LinkParams params = link_params_default();

    params.delay = SIM_SEC;
    return params;
}

static WireBench *
soak_run(const LinkParams *params, uint64_t seed, uint32_t bytes)
{
    const LinkParams both[2] = { *params, *params };
    WireBench *bench = wire_bench_new_seeded(both, seed);

    wire_bench_stream(bench, PACKETS, bytes, SIM_US);
    return bench;
}

/* Ids are given from 1 in the order of sending. */
static Losses
soak_losses(const LinkParams *params, uint64_t seed, uint32_t bytes)
{
    g_autoptr(WireBench) bench = soak_run(params, seed, bytes);
    Losses losses = { .n = PACKETS, .lost = g_malloc(PACKETS) };

    memset(losses.lost, 1, PACKETS);
    for (uint32_t i = 0; i < bench->n_arrived; i++)
        losses.lost[bench->arrived[i].id - 1] = 0;
    return losses;
}

static double
losses_rate(const Losses *losses)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < losses->n; i++)
        count += losses->lost[i];
    return (double)count / losses->n;
}

static void
expect_near(const char *what, double asked, double measured, double allowed)
{
    g_test_message("%-44s asked %.9g, measured %.9g, within %.3g", what, asked, measured, allowed);
    g_assert_cmpfloat(fabs(measured - asked), <=, allowed);
}

static double
four_sigma(double p, double n)
{
    return 4 * sqrt(p * (1 - p) / n);
}

static double
correlation(const Losses *a, const Losses *b, uint32_t lag)
{
    double mean_a = losses_rate(a), mean_b = losses_rate(b), sum = 0;
    uint32_t n = a->n - lag;

    for (uint32_t i = 0; i < n; i++)
        sum += (a->lost[i] - mean_a) * (b->lost[i + lag] - mean_b);
    return sum / n / sqrt(mean_a * (1 - mean_a) * mean_b * (1 - mean_b));
}

static void
random_loss_has_its_rate_and_no_memory(void)
{
    static const double rates[] = { 0.001, 0.01, 0.1, 0.5, 0.9 };

    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        LinkParams params = soak_params();
        params.loss = (LossParams){ .kind = LOSS_RANDOM, .p = rates[i] };
        Losses losses = soak_losses(&params, i + 1, BYTES);

        expect_near("random loss", rates[i], losses_rate(&losses), four_sigma(rates[i], PACKETS));
        for (uint32_t lag = 1; lag <= 3; lag++)
            expect_near("  correlation with an earlier packet", 0,
                        correlation(&losses, &losses, lag), 4 / sqrt(PACKETS));
        g_free(losses.lost);
    }
}

/* In the stationary state the bad share of packets is p / (p + r). */
static void
gilbert_elliott_has_its_rate_and_its_bursts(void)
{
    LinkParams params = soak_params();
    const double p = 0.01, r = 0.2;
    double bad = p / (p + r);

    params.loss = (LossParams){ .kind = LOSS_GILBERT_ELLIOTT, .p = p, .r = r, .one_minus_h = 1 };
    Losses losses = soak_losses(&params, 1, BYTES);
    uint32_t bursts = 0, lost = 0, ends = 0;
    for (uint32_t i = 0; i + 1 < losses.n; i++) {
        lost += losses.lost[i];
        bursts += losses.lost[i] && (i == 0 || !losses.lost[i - 1]);
        ends += losses.lost[i] && !losses.lost[i + 1];
    }
    /* Neighbours are correlated by 1 - p - r, so the sample counts for less. */
    double effective = PACKETS * (p + r) / (2 - p - r);
    expect_near("Gilbert loss", bad, losses_rate(&losses), four_sigma(bad, effective));
    expect_near("  end of a burst", r, (double)ends / lost, four_sigma(r, lost));
    expect_near("  begin of a burst", p, (double)bursts / (losses.n - lost),
                four_sigma(p, losses.n - lost));
    g_free(losses.lost);

    params.loss.one_minus_h = 0.7;
    params.loss.one_minus_k = 0.002;
    losses = soak_losses(&params, 2, BYTES);
    double rate = bad * 0.7 + (1 - bad) * 0.002;
    expect_near("Gilbert-Elliott loss", rate, losses_rate(&losses), four_sigma(rate, effective));
    g_free(losses.lost);
}

/* Chi square with eight degrees of freedom is above this once in ten thousand. */
#define CHI_SQUARE_8_LIMIT 31.83

/* The bad state ends with r after each packet: a burst of n packets has the
 * probability r (1 - r)^(n - 1). */
static void
bursts_have_geometric_lengths(void)
{
    enum { CLASSES = 9 }; /* 1, 2, ... 8, more */
    LinkParams params = soak_params();
    const double p = 0.02, r = 0.3;
    double counts[CLASSES] = { 0 }, bursts = 0, chi_square = 0;

    params.loss = (LossParams){ .kind = LOSS_GILBERT_ELLIOTT, .p = p, .r = r, .one_minus_h = 1 };
    Losses losses = soak_losses(&params, 4, BYTES);
    for (uint32_t i = 0, length = 0; i < losses.n; i++) {
        if (losses.lost[i]) {
            length++;
        } else if (length > 0) {
            counts[MIN(length, CLASSES) - 1]++;
            bursts++;
            length = 0;
        }
    }
    for (uint32_t n = 1; n <= CLASSES; n++) {
        double share = n < CLASSES ? r * pow(1 - r, n - 1) : pow(1 - r, CLASSES - 1);
        double expected = bursts * share;
        chi_square += pow(counts[n - 1] - expected, 2) / expected;
    }
    g_test_message("%.0f bursts", bursts);
    expect_near("chi square of the lengths of bursts", CHI_SQUARE_8_LIMIT / 2, chi_square,
                CHI_SQUARE_8_LIMIT / 2);
    g_free(losses.lost);
}

static void
burst_loss_has_its_rate(void)
{
    LinkParams params = soak_params();
    const double p = 0.002, length = 5;

    /* A cycle is 1/p - 1 packets that pass, then a burst. */
    params.loss = (LossParams){ .kind = LOSS_BURST, .p = p, .burst = 5 };
    Losses losses = soak_losses(&params, 3, BYTES);
    double rate = length / (1 / p - 1 + length);
    expect_near("burst loss", rate, losses_rate(&losses), four_sigma(rate, PACKETS / length));
    g_free(losses.lost);
}

static void
bit_errors_grow_with_length(void)
{
    static const uint32_t lengths[] = { 40, 576, 1500 };

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        LinkParams params = soak_params();
        params.loss = (LossParams){ .kind = LOSS_BIT_ERROR, .p = 1e-5 };
        params.overhead = 38;
        double asked = 1 - pow(1 - 1e-5, 8.0 * (lengths[i] + 38));
        Losses losses = soak_losses(&params, i + 10, lengths[i]);
        expect_near("bit error loss", asked, losses_rate(&losses), four_sigma(asked, PACKETS));
        g_free(losses.lost);
    }
}

static void
directions_have_luck_of_their_own(void)
{
    LinkParams params = soak_params();
    LinkParams lossy[2] = { params, params };
    Losses there = { PACKETS, g_malloc(PACKETS) }, back = { PACKETS, g_malloc(PACKETS) };

    lossy[0].loss = lossy[1].loss = (LossParams){ .kind = LOSS_RANDOM, .p = 0.3 };
    g_autoptr(WireBench) bench = wire_bench_new_seeded(lossy, 1);
    memset(there.lost, 1, PACKETS);
    memset(back.lost, 1, PACKETS);
    for (uint32_t i = 0; i < PACKETS; i++) {
        wire_bench_send(bench, 100); /* odd ids */
        wire_bench_send_back(bench, 100);
    }
    wire_bench_run(bench);
    for (uint32_t i = 0; i < bench->n_arrived; i++) {
        uint64_t id = bench->arrived[i].id - 1;
        (id % 2 == 0 ? there.lost : back.lost)[id / 2] = 0;
    }
    expect_near("loss, there", 0.3, losses_rate(&there), four_sigma(0.3, PACKETS));
    expect_near("loss, back", 0.3, losses_rate(&back), four_sigma(0.3, PACKETS));
    expect_near("correlation of the two", 0, correlation(&there, &back, 0), 4 / sqrt(PACKETS));
    g_free(there.lost);
    g_free(back.lost);
}

static void
duplication_corruption_and_reordering_have_their_rates(void)
{
    LinkParams params = soak_params();
    params.duplicate = 0.02;
    g_autoptr(WireBench) duplicated = soak_run(&params, 1, 100);
    expect_near("duplicate", 0.02, (double)duplicated->n_arrived / PACKETS - 1,
                four_sigma(0.02, PACKETS));

    params = soak_params();
    params.corrupt = 0.03;
    g_autoptr(WireBench) corrupted = soak_run(&params, 2, 100);
    expect_near("corrupt", 0.03, (double)corrupted->events[PACKET_EVENT_CORRUPTED] / PACKETS,
                four_sigma(0.03, PACKETS));

    params = soak_params();
    params.reorder = 0.05;
    g_autoptr(WireBench) reordered = soak_run(&params, 3, 100);
    uint32_t early = 0;
    for (uint32_t i = 0; i < reordered->n_arrived; i++)
        early += reordered->arrived[i].at == (SimTime)(reordered->arrived[i].id - 1) * SIM_US;
    expect_near("reorder", 0.05, (double)early / PACKETS, four_sigma(0.05, PACKETS));
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

typedef double Distribution(double x);

static double
uniform_cdf(double x)
{
    return CLAMP((x + 1) / 2, 0, 1);
}

static double
normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double
pareto_cdf(double x)
{
    double value = x * sqrt(0.75) + 1.5;

    return value <= 1 ? 0 : 1 - pow(value, -3);
}

static const double table[] = { -2, -1, 0, 0.5, 4 };

static double
table_cdf(double x)
{
    if (x <= table[0])
        return 0;
    for (int i = 1; i < 5; i++) {
        if (x <= table[i])
            return (i - 1 + (x - table[i - 1]) / (table[i] - table[i - 1])) / 4;
    }
    return 1;
}

static void
jitter_has_its_distribution(void)
{
    static const struct {
        const char *name;
        JitterKind kind;
        Distribution *cdf;
    } cases[] = {
        { "uniform jitter", JITTER_UNIFORM, uniform_cdf },
        { "normal jitter", JITTER_NORMAL, normal_cdf },
        { "Pareto jitter", JITTER_PARETO, pareto_cdf },
        { "jitter by table", JITTER_TABLE, table_cdf },
    };

    for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
        LinkParams params = soak_params();
        params.jitter = (JitterParams){ .kind = cases[c].kind, .amount = SIM_MS };
        if (cases[c].kind == JITTER_TABLE) {
            params.jitter.table = table;
            params.jitter.n_table = G_N_ELEMENTS(table);
        }
        g_autoptr(WireBench) bench = soak_run(&params, c + 1, 100);
        g_autofree double *samples = g_new(double, bench->n_arrived);
        double distance = 0, n = bench->n_arrived;

        for (uint32_t i = 0; i < bench->n_arrived; i++) {
            SimTime sent = (SimTime)(bench->arrived[i].id - 1) * SIM_US;
            samples[i] = (double)(bench->arrived[i].at - sent - params.delay) / SIM_MS;
        }
        qsort(samples, bench->n_arrived, sizeof *samples, compare_doubles);
        for (uint32_t i = 0; i < bench->n_arrived; i++) {
            double expected = cases[c].cdf(samples[i]);
            distance = MAX(distance, fabs(expected - i / n));
            distance = MAX(distance, fabs(expected - (i + 1) / n));
        }
        expect_near(cases[c].name, 0, distance, KS_LIMIT / sqrt(n));
    }
}

/* What each packet took beyond the link's delay, in order of sending. */
static double *
soak_jitter(const LinkParams *params, uint64_t seed)
{
    g_autoptr(WireBench) bench = soak_run(params, seed, 100);
    double *samples = g_new0(double, PACKETS);

    for (uint32_t i = 0; i < bench->n_arrived; i++) {
        uint64_t at = bench->arrived[i].id - 1;
        samples[at] =
            (double)(bench->arrived[i].at - (SimTime)at * SIM_US - params->delay) / SIM_MS;
    }
    return samples;
}

static double
correlation_of(const double *samples, uint32_t n, uint32_t lag)
{
    double mean = 0, variance = 0, sum = 0;

    for (uint32_t i = 0; i < n; i++)
        mean += samples[i] / n;
    for (uint32_t i = 0; i < n; i++)
        variance += pow(samples[i] - mean, 2) / n;
    for (uint32_t i = 0; i + lag < n; i++)
        sum += (samples[i] - mean) * (samples[i + lag] - mean) / (n - lag);
    return sum / variance;
}

static void
jitter_has_no_memory(void)
{
    static const JitterKind kinds[] = { JITTER_UNIFORM, JITTER_NORMAL };

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        LinkParams params = soak_params();
        params.jitter = (JitterParams){ .kind = kinds[k], .amount = SIM_MS };
        double *samples = soak_jitter(&params, k + 20);

        for (uint32_t lag = 1; lag <= 3; lag++)
            expect_near("jitter: correlation with an earlier packet", 0,
                        correlation_of(samples, PACKETS, lag), 4 / sqrt(PACKETS));
        g_free(samples);
    }
}

/* A packet that keeps its order has its own jitter, or that of one before it
 * that was later: never less than its own draw, which the same seed repeats. */
static void
jitter_that_keeps_order_only_ever_adds_delay(void)
{
    LinkParams params = soak_params();
    uint32_t overtaken = 0, earlier = 0;

    params.jitter = (JitterParams){ .kind = JITTER_NORMAL, .amount = SIM_MS };
    double *loose = soak_jitter(&params, 30);
    params.jitter.keeps_order = true;
    double *kept = soak_jitter(&params, 30);
    for (uint32_t i = 0; i < PACKETS; i++) {
        overtaken += i > 0 && kept[i] + 0.001 < kept[i - 1] - 1e-9; /* 1 us between two */
        earlier += kept[i] < loose[i] - 1e-9;
    }
    expect_near("packets overtaken", 0, overtaken, 0);
    expect_near("packets earlier than their own jitter", 0, earlier, 0);
    g_free(loose);
    g_free(kept);
}

/* Two packets `gap` apart with uniform jitter of a: the second is first with
 * (1 - gap / 2a)^2 / 2. */
static void
uniform_jitter_reorders_as_often_as_it_must(void)
{
    LinkParams params = soak_params();
    const double gap = 0.4; /* in units of the amount */
    double asked = pow(1 - gap / 2, 2) / 2, n = PACKETS / 2.0;
    uint32_t swapped = 0;

    params.jitter = (JitterParams){ .kind = JITTER_UNIFORM, .amount = SIM_MS };
    double *samples = soak_jitter(&params, 40);
    for (uint32_t i = 0; i + 1 < PACKETS; i += 2)
        swapped += samples[i + 1] + gap < samples[i];
    expect_near("neighbours that change places", asked, swapped / n, four_sigma(asked, n));
    g_free(samples);
}

static void
late_packets_are_as_many_and_as_late_as_asked(void)
{
    LinkParams params = soak_params();
    uint32_t late = 0, others = 0;

    params.reorder = 0.05;
    params.reorder_by = 3 * SIM_MS;
    double *samples = soak_jitter(&params, 50);
    for (uint32_t i = 0; i < PACKETS; i++) {
        late += samples[i] == 3;
        others += samples[i] != 3 && samples[i] != 0;
    }
    expect_near("late packets", 0.05, (double)late / PACKETS, four_sigma(0.05, PACKETS));
    expect_near("neither late nor in time", 0, others, 0);
    g_free(samples);
}

static void
a_trace_carries_its_opportunities(void)
{
    static const SimTime trace[] = { 1 * SIM_MS, 1 * SIM_MS, 4 * SIM_MS, 10 * SIM_MS };
    LinkParams params = soak_params();

    params.delay = 0;
    params.trace = trace;
    params.n_trace = G_N_ELEMENTS(trace);
    params.queue.limit_packets = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);
    wire_bench_stream(bench, 20000, 752, 0); /* two fill an opportunity */
    double took = (double)bench->arrived[bench->n_arrived - 1].at / SIM_SEC;
    expect_near("seconds for 10,000 opportunities, four in 10 ms", 25, took, 1e-9);
}

/* Exact, not statistical: what the divisions leave over is not lost. */
static void
a_busy_link_carries_its_rate_to_the_bit(void)
{
    static const uint64_t rates[] = { 56000, 1544000, 10000000, 1000000000, 9999999967 };

    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        LinkParams params = soak_params();
        params.rate = rates[i];
        params.queue.limit_packets = 0;
        g_autoptr(WireBench) bench = wire_bench_new(&params);
        wire_bench_stream(bench, 10000, BYTES, 0);
        double took = (double)(bench->arrived[bench->n_arrived - 1].at - params.delay) / SIM_SEC;
        double asked = 10000.0 * BYTES * 8 / (double)rates[i];
        expect_near("seconds for ten megabytes", asked, took, 2e-9);
    }
}

static void
a_token_bucket_carries_its_rate(void)
{
    LinkParams params = soak_params();
    params.delay = 0;
    params.queue.kind = QDISC_TBF;
    params.queue.tbf_rate = 1234567;
    params.queue.tbf_burst = 5000;
    params.queue.limit_packets = 0;
    g_autoptr(WireBench) bench = wire_bench_new(&params);

    wire_bench_stream(bench, 10000, BYTES, 0);
    double took = (double)bench->arrived[bench->n_arrived - 1].at / SIM_SEC;
    expect_near("seconds through a token bucket", (10000.0 * BYTES - 5000) * 8 / 1234567, took,
                2e-9);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(claim) g_test_add_func("/soak/link/" #claim, claim)
    ADD(random_loss_has_its_rate_and_no_memory);
    ADD(gilbert_elliott_has_its_rate_and_its_bursts);
    ADD(bursts_have_geometric_lengths);
    ADD(burst_loss_has_its_rate);
    ADD(bit_errors_grow_with_length);
    ADD(directions_have_luck_of_their_own);
    ADD(duplication_corruption_and_reordering_have_their_rates);
    ADD(jitter_has_its_distribution);
    ADD(jitter_has_no_memory);
    ADD(jitter_that_keeps_order_only_ever_adds_delay);
    ADD(uniform_jitter_reorders_as_often_as_it_must);
    ADD(late_packets_are_as_many_and_as_late_as_asked);
    ADD(a_trace_carries_its_opportunities);
    ADD(a_busy_link_carries_its_rate_to_the_bit);
    ADD(a_token_bucket_carries_its_rate);
    return g_test_run();
}
