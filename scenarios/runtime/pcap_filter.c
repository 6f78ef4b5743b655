#include "scenarios/runtime/pcap_filter.h"

#include <dlfcn.h>
#include <glib.h>

/* What of libpcap's interface is used, declared here so that building needs
 * no header of it: pcap(3PCAP), pcap_compile(3PCAP), bpf_filter(3PCAP). */
enum { LINK_TYPE_RAW = 12 };        /* DLT_RAW on Linux: the bytes begin with the IP header */
#define NETMASK_UNKNOWN 0xffffffffu /* PCAP_NETMASK_UNKNOWN */
#define SNAPLEN         65535

typedef struct FilterProgram { /* struct bpf_program */
    unsigned int len;
    void *insns;
} FilterProgram;

struct PcapFilter {
    void *library;         /* owns: a handle of dlopen */
    FilterProgram program; /* owns, by libpcap */
    void (*freecode)(FilterProgram *program);
    unsigned int (*run)(const void *insns, const uint8_t *bytes, unsigned int wire_len,
                        unsigned int len);
};

/* A symbol as the type of the function that it is: C has no cast for that. */
#define SYMBOL(library, function, name) (*(void **)&(function) = dlsym(library, name))

PcapFilter *
pcap_filter_new(const char *expression, char **error)
{
    PcapFilter filter = { .library = dlopen("libpcap.so.0.8", RTLD_NOW) };
    void *(*open_dead)(int linktype, int snaplen);
    int (*compile)(void *pcap, FilterProgram *program, const char *text, int optimize,
                   unsigned int mask);
    char *(*geterr)(void *pcap);
    void (*close)(void *pcap);

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

    void *pcap = open_dead(LINK_TYPE_RAW, SNAPLEN);

    if (compile(pcap, &filter.program, expression, 1, NETMASK_UNKNOWN) != 0) {
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

    return filter->run(filter->program.insns, bytes, len, MIN(len, sizeof bytes)) != 0;
}
