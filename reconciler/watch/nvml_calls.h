/* nvml_calls.h - NVIDIA's management library, loaded when it is there.
 *
 * Prototypes and values are those of nvml.h (CUDA 12). A function that a release does not
 * have is NULL; all but the first four may be. */
#ifndef RC_NVML_CALLS_H
#define RC_NVML_CALLS_H

#include <stdbool.h>

enum {
    NVML_SUCCESS = 0,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_TIMEOUT = 10,
    NVML_ERROR_GPU_IS_LOST = 15,
    NVML_ERROR_RESET_REQUIRED = 16,
    NVML_ERROR_UNCORRECTED = 1,    /* nvmlMemoryErrorType_t */
    NVML_VOLATILE_ECC = 0,         /* nvmlEccCounterType_t */
    NVML_EVENT_XID_CRITICAL = 0x8, /* nvmlEventTypeXidCriticalError */
    NVML_LINKS_MAX = 18,
    NVML_SERIAL_LEN = 32,
    NVML_UUID_LEN = 96,
    NVML_BUS_ID_LEN = 32,
};

typedef void *nvml_device;
typedef void *nvml_event_set;

/* nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3. */
struct nvml_pci {
    char bus_id_legacy[16];
    unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
    char bus_id[NVML_BUS_ID_LEN];
};

/* nvmlEventData_t of nvmlEventSetWait_v2. */
struct nvml_event {
    nvml_device device;
    unsigned long long type, data; /* data: the Xid; 999 = unknown */
    unsigned gpu_instance, compute_instance;
};

struct nvml {
    int (*init)(void);
    int (*count)(unsigned *);
    int (*handle)(unsigned, nvml_device *);
    int (*pci)(nvml_device, struct nvml_pci *);
    int (*serial)(nvml_device, char *, unsigned);
    int (*uuid)(nvml_device, char *, unsigned);
    int (*ecc)(nvml_device, int, int, unsigned long long *);
    int (*remapped)(nvml_device, unsigned *, unsigned *, unsigned *, unsigned *);
    int (*pages_pending)(nvml_device, unsigned *);
    int (*throttle)(nvml_device, unsigned long long *);
    int (*width)(nvml_device, unsigned *);
    int (*width_max)(nvml_device, unsigned *);
    int (*link)(nvml_device, unsigned, unsigned *);
    int (*set_new)(nvml_event_set *);
    int (*set_add)(nvml_device, unsigned long long, nvml_event_set);
    int (*set_wait)(nvml_event_set, struct nvml_event *, unsigned);
};

/* Loads by name or path; stays loaded. False: it cannot be loaded. */
bool rc_nvml_load(const char *library, struct nvml *ret);
/* It is whole and starts; else NVML's error, or -1 when a function is missing. */
int rc_nvml_init(const struct nvml *n);

#endif
