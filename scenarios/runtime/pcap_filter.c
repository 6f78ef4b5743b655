#include "scenarios/runtime/pcap_filter.h"

#include <dlfcn.h>
#include <glib.h>
#include <pcap/pcap.h>

#define SNAPLEN 65535

struct PcapFilter {
    void *library;              /* owns: a handle of dlopen */
    struct bpf_program program; /* owns, by libpcap */
    void (*freecode)(struct bpf_program *program);
    u_int (*run)(const struct bpf_insn *insns, const u_char *bytes, u_int wire_len, u_int len);
};

/* A symbol as the type of the function that it is: C has no cast for that. */
#define SYMBOL(library, function, name) (*(void **)&(function) = dlsym(library, name))

PcapFilter *
pcap_filter_new(const char *expression, char **error)
{
    PcapFilter filter = { .library = dlopen("libpcap.so.0.8", RTLD_NOW) };
    pcap_t *(*open_dead)(int linktype, int snaplen);
    int (*compile)(pcap_t * pcap, struct bpf_program * program, const char *text, int optimize,
                   bpf_u_int32 mask);
    char *(*geterr)(pcap_t * pcap);
    void (*close)(pcap_t * pcap);

    if (filter.library == NULL)
        filter.library = dlopen("libpcap.so.1", RTLD_NOW);
    if (filter.library == NULL) {
        *error = g_strdup(
            "pcap filter expressions need libpcap (package libpcap0.8), which is not installed");
        return NULL;
    }
    SYMBOL(filter.library, open_dead, "pcap_open_dead");
    SYMBOL(filter.library, compile, "pcap_compile");
    SYMBOL(filter.library, geterr, "pcap_geterr");
    SYMBOL(filter.library, close, "pcap_close");
    SYMBOL(filter.library, filter.freecode, "pcap_freecode");
    SYMBOL(filter.library, filter.run, "bpf_filter");

    pcap_t *pcap = open_dead(DLT_RAW, SNAPLEN);

    if (compile(pcap, &filter.program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        *error = g_strdup(geterr(pcap));
        close(pcap);
        dlclose(filter.library);
        return NULL;
    }
    close(pcap);
    return g_memdup2(&filter, sizeof filter);
}

void
pcap_filter_free(PcapFilter *filter)
{
    filter->freecode(&filter->program);
    dlclose(filter->library);
    g_free(filter);
}

bool
pcap_filter_matches(const PcapFilter *filter, const PacketPool *pool, const Packet *packet)
{
    uint8_t bytes[SNAPLEN];
    uint32_t len = packet_render(pool, packet, bytes, sizeof bytes);

    return filter->run(filter->program.bf_insns, bytes, len, MIN(len, sizeof bytes)) != 0;
}
