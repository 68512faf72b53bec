/* What the answers of a node to the probes of the gate prove. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/io/host/gate_answer.h"

#define BIT(probe) (1U << RC_GATE_PROBE_##probe)
#define JSON(result, finding)                                                                      \
    "rc-json {\"result\":\"" result "\",\"probes\":[{\"name\":\"x\",\"findings\":[" finding "]}]}\n"
#define SERIAL(n) "{\"kind\":\"fact\",\"class\":\"gpu:serial\",\"device\":\"d\",\"text\":\"" n "\"}"

static const struct row {
    const char *name, *out;
    uint32_t probes, must;
    enum rc_err err;
    const char *text;
} rows[] = {
    {"all well", "rc-probe check well nothing found\nrc-probe ecc well 8 GPUs\nrc-gate-end\n",
     BIT(CHECK) | BIT(ECC), BIT(CHECK), RC_OK, "check, ecc passed"},
    {"one bad",
     "rc-probe check well -\nrc-probe ecc bad 0000:10:1C.0: 3 uncorrected errors\nrc-gate-end\n",
     BIT(CHECK) | BIT(ECC), 0, RC_E_UNHEALTHY, "ecc: 0000:10:1C.0: 3 uncorrected errors"},
    {"bad before unknown", "rc-probe check unknown x\nrc-probe ecc bad y\nrc-gate-end\n",
     BIT(CHECK) | BIT(ECC), BIT(CHECK), RC_E_UNHEALTHY, "ecc: y"},
    {"a missing tool that must be there",
     "rc-probe nccl unknown all_reduce_perf is not there\nrc-gate-end\n", BIT(NCCL), BIT(NCCL),
     RC_E_UNKNOWN, "nccl: all_reduce_perf is not there"},
    {"a missing tool that may be missing",
     "rc-probe nccl unknown all_reduce_perf is not there\nrc-probe pcie well 8\nrc-gate-end\n",
     BIT(NCCL) | BIT(PCIE), BIT(PCIE), RC_OK, "pcie passed; could not be asked: nccl"},
    {"silence of one that must tell", "rc-gate-end\n", BIT(DCGM), BIT(DCGM), RC_E_UNKNOWN,
     "dcgm: no answer"},
    {"an answer that breaks off", "rc-probe check well -\nrc-probe ec", BIT(CHECK) | BIT(ECC),
     BIT(CHECK), RC_E_UNKNOWN, "did not come to their end"},
    {"nothing at all", "", BIT(CHECK), 0, RC_E_UNKNOWN, "did not come to their end"},
    {"the first fault of nodewatch check is named",
     "rc-probe check bad faults found\n" JSON(
         "fault",
         SERIAL(
             "1") ",{\"kind\":\"fault\",\"class\":\"efa:missing\",\"device\":\"\",\"text\":\"t\"},"
                  "{\"kind\":\"fault\",\"class\":\"xid:79\",\"device\":\"d\",\"text\":\"t\"}") "rc-gate-end\n",
     BIT(CHECK), 0, RC_E_UNHEALTHY, "check: efa:missing"},
    {"what could not be looked at is named",
     "rc-probe check unknown x\n" JSON(
         "unknown",
         "{\"kind\":\"unknown\",\"class\":\"gpu:unknown\",\"device\":\"gpu0\",\"text\":\"t\"}") "rc-gate-end\n",
     BIT(CHECK), BIT(CHECK), RC_E_UNKNOWN, "check: gpu:unknown gpu0"},
    {"a probe that nobody asked for does not count",
     "rc-probe dcgm bad x\nrc-probe ecc well y\nrc-gate-end\n", BIT(ECC), 0, RC_OK, "ecc passed"},
    {"words that nobody knows",
     "rc-probe\nrc-probe x\nrc-probe x bad y\nrc-probe ecc maybe\nrc-json {\n"
     "rc-json [1,{}]\nhello\xff\nrc-gate-end\n",
     BIT(ECC), BIT(ECC), RC_E_UNKNOWN, "ecc: no answer"},
    {"the last word within another line", "rc-probe ecc well rc-gate-end\nrc-gate-endless\n",
     BIT(ECC), 0, RC_E_UNKNOWN, "did not come to their end"},
};

static void
test_judgement(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rc_gate_answer a;
        struct rc_error e;

        rc_gate_answer_read(rows[i].out, &a);
        enum rc_err err = rc_gate_answer_judge(&a, rows[i].probes, rows[i].must, &e);
        rc_case(err == rows[i].err && strstr(e.text, rows[i].text), rows[i].name, "%d: %s", err,
                e.text);
    }
}

static void
test_serials(void)
{
    struct rc_gate_answer a;

    rc_gate_answer_read(JSON("well", SERIAL("16529001") "," SERIAL("16529002") "," SERIAL(
                                         "a b") "," SERIAL("")) "rc-serials 16529008\n",
                        &a);
    CU_ASSERT_STRING_EQUAL(a.serials, "16529001,16529002");
    rc_gate_answer_read("rc-serials 16529001,,16529002,165;29003\n", &a);
    CU_ASSERT_STRING_EQUAL(a.serials, "16529001,16529002");
    rc_gate_answer_read("rc-json {\"probes\":[]}\nrc-serials 16529009\n", &a);
    CU_ASSERT_STRING_EQUAL(a.serials, "16529009");
    rc_gate_answer_read("rc-probe check well\n", &a);
    CU_ASSERT_STRING_EQUAL(a.serials, "");
}

/* Two hosts whose boards have no number would else be taken for one. */
static void
test_no_serials(void)
{
    struct rc_gate_answer a;

    rc_gate_answer_read(JSON("well", SERIAL("0") "," SERIAL("[N/A]") "," SERIAL(
                                         "Unknown") "," SERIAL("0000000000000")) "rc-gate-end\n",
                        &a);
    CU_ASSERT_STRING_EQUAL(a.serials, "");
    rc_gate_answer_read("rc-serials 0,NA,Unknown,UnknownError,00000000,x\nrc-gate-end\n", &a);
    CU_ASSERT_STRING_EQUAL(a.serials, "");
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"bad is bad, unknown is bad where the policy says so, and else passed over",
         test_judgement},
        {"serial numbers are read from NVML, else from nvidia-smi", test_serials},
        {"what is no serial number of one board is none", test_no_serials},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("gate-answer", tests);
}
