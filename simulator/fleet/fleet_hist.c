/* fleet_hist.c - times counted in buckets of equal ratio, and names of the tables. */
#include <string.h>

#include "simulator/fleet/fleet.h"

/* Bucket b holds (16 + b % 16) << (b / 16): sixteen steps an octave, integers only. */
int64_t
rc_fleet_hist_ms(uint32_t bucket)
{
    return bucket ? (int64_t)(16 + bucket % 16) << (bucket / 16) : 0;
}

uint32_t
rc_fleet_hist_bucket(int64_t ms)
{
    uint32_t octave = 0;

    while (ms >> octave >= 32) {
        octave++;
    }
    if (ms < 16) {
        return 0;
    }
    uint32_t bucket = octave * 16 + (uint32_t)((ms >> octave) - 16);
    return bucket < RC_FLEET_HIST ? bucket : RC_FLEET_HIST - 1;
}

void
rc_fleet_hist_add(struct rc_fleet_hist *h, int64_t ms, bool censored)
{
    uint32_t b = rc_fleet_hist_bucket(ms);

    if (censored) {
        h->censored[b]++;
    } else {
        h->done[b]++;
        h->count++;
    }
}

int64_t
rc_fleet_hist_quantile(const struct rc_fleet_hist *h, uint32_t permille)
{
    uint64_t want = (h->count * permille + 999) / 1000, seen = 0;

    for (uint32_t b = 0; h->count && b < RC_FLEET_HIST; b++) {
        if (seen + h->done[b] >= want && h->done[b]) {
            int64_t low = rc_fleet_hist_ms(b), high = rc_fleet_hist_ms(b + 1);
            return low + (high - low) * (int64_t)(want - seen) / (int64_t)h->done[b];
        }
        seen += h->done[b];
    }
    return 0;
}

const char *
rc_fleet_loss_name(uint32_t loss)
{
    static const char *const name[] = {
#define RC_LOSS_NAME(loss, name, text) name,
        RC_FLEET_LOSSES(RC_LOSS_NAME)
#undef RC_LOSS_NAME
    };

    return loss < RC_LOSS__MAX ? name[loss] : "?";
}

const char *
rc_fleet_loss_text(uint32_t loss)
{
    static const char *const text[] = {
#define RC_LOSS_TEXT(loss, name, text) text,
        RC_FLEET_LOSSES(RC_LOSS_TEXT)
#undef RC_LOSS_TEXT
    };

    return loss < RC_LOSS__MAX ? text[loss] : "?";
}

const char *
rc_fleet_world_name(uint32_t world)
{
    static const char *const name[] = {"calm", "usual", "hostile"};

    return world < RC_FLEET_WORLD__MAX ? name[world] : "?";
}
