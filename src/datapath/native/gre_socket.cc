#include "gre_socket.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "bounds.h"

namespace pptp {
namespace {

// Offsets from the start of GRE (RFC 2637 section 4.1).
constexpr uint32_t versionAt = 1;
constexpr uint32_t protocolAt = 2;
constexpr uint32_t callIdAt = 6;
constexpr uint32_t protocolPpp = 0x880B;

bool filter(int socket, uint16_t index, uint16_t count) {
  const uint32_t takes = 0xFFFFFFFF;
  sock_filter program[] = {
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // X: length of the IP header
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, versionAt),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x07),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 6),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, protocolAt),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocolPpp, 0, 4),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, callIdAt),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, static_cast<uint32_t>(count - 1)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, index, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, takes),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog code{sizeof program / sizeof program[0], program};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code) == 0;
}

}  // namespace

Descriptor greOpen(uint16_t index, uint16_t count) {
  Descriptor gre(socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_GRE));
  if (!gre || !filter(gre.number(), index, count)) return {};
  // Beyond the system's limit if we may (CAP_NET_ADMIN of the first user namespace), else up to it.
  for (const auto& [force, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}})
    if (setsockopt(gre.number(), SOL_SOCKET, force, &greBufferBytes, sizeof greBufferBytes) < 0)
      setsockopt(gre.number(), SOL_SOCKET, plain, &greBufferBytes, sizeof greBufferBytes);
  // A path with a smaller MTU gets fragments: dropping the packet would tell nobody inside the tunnel why.
  const int discovery = IP_PMTUDISC_DONT;
  setsockopt(gre.number(), IPPROTO_IP, IP_MTU_DISCOVER, &discovery, sizeof discovery);
  return gre;
}

uint32_t greDrops(int socket) {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof memory;
  const bool isTold = getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0;
  return isTold ? memory[SK_MEMINFO_DROPS] : 0;
}

}  // namespace pptp
