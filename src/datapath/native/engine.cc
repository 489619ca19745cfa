// pptp-engine: the privileged half of the concentrator. Holds every wire and moves packets; decides nothing.
//
//     pptp-engine --socket PATH [--socket-mode MODE] [--workers N]     serve control on a unix socket
//     pptp-engine --contract                                           print the contract as JSON
//     pptp-engine --version
//
// Exit status: 0 ended in order, 1 could not start, 2 wrong options, 77 a privilege is missing.

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

#include "contract.h"
#include "control.h"
#include "crew.h"
#include "gre_socket.h"
#include "privileges.h"
#include "tun.h"

namespace pptp {
namespace {

constexpr const char* engineVersion = "0.1.0";
constexpr unsigned workersMax = 64;  // more have never been seen to help, and each filters every GRE packet

enum ExitStatus { ended = 0, failed = 1, wrongOptions = 2, withoutPrivilege = 77 };

struct Options {
  std::string socketPath;
  mode_t socketMode = 0600;
  unsigned workers = 0;  // 0: as the processors allow
};

ExitStatus complain(ExitStatus status, const std::string& text) {
  fprintf(stderr, "pptp-engine: %s\n", text.c_str());
  return status;
}

/// All of `text` as a number.
template <typename Number>
bool parseNumber(std::string_view text, int base, Number& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

/// The rights of owner and group, in octal. Whoever may write to the socket may do all that the engine may:
/// never everybody.
bool parseSocketMode(std::string_view text, mode_t& mode) {
  return parseNumber(text, 8, mode) && (mode & ~static_cast<mode_t>(0660)) == 0;
}

bool parseOptions(int count, char** arguments, Options& options) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (name == "--socket") {
      options.socketPath = value;
    } else if (name == "--workers") {
      if (!parseNumber(value, 10, options.workers)) return false;
      if (options.workers == 0 || options.workers > workersMax) return false;
    } else if (name == "--socket-mode") {
      if (!parseSocketMode(value, options.socketMode)) return false;
    } else {
      return false;
    }
  }
  return count % 2 == 1 && !options.socketPath.empty();
}

/// One descriptor per interface and connection.
void raiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// The unix socket; its group is the process's own. A path that nobody serves any more is taken over.
Descriptor openDoor(const std::string& path, mode_t mode, std::string& problem) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    problem = "the path of the socket is too long";
    return {};
  }
  memcpy(address.sun_path, path.c_str(), path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);

  Descriptor door(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (door && connect(door.number(), generic, sizeof address) == 0) {
    problem = "another engine serves " + path;
    return {};
  }
  if (errno == ECONNREFUSED) unlink(path.c_str());
  door.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const mode_t mask = umask(0777 & ~mode);
  const bool isOpen = bind(door.number(), generic, sizeof address) == 0 && listen(door.number(), 4) == 0;
  problem = isOpen ? "" : "cannot serve " + path + ": " + strerror(errno);
  umask(mask);
  return isOpen ? std::move(door) : Descriptor();
}

/// SIGTERM and SIGINT become readable; a peer that went away is an error number, not a signal. Threads
/// inherit this.
Descriptor takeSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return Descriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

bool hire(Crew& crew, unsigned workers, std::string& problem) {
  // As many as the processors that this process may use; 0 if the system does not tell.
  const unsigned processors = std::max(std::thread::hardware_concurrency(), 1U);
  const unsigned wanted = workers != 0 ? workers : std::min<unsigned>(processors, workersMax);
  const auto count = static_cast<uint16_t>(std::bit_floor(wanted));
  for (uint16_t index = 0; index < count; index++) {
    Descriptor gre = greOpen(index, count);
    if (!gre) {
      problem = std::string("no GRE socket can be opened: ") + strerror(errno);
      return false;
    }
    const WorkerTerms terms{index, count, tunMergesUdp()};
    crew.workers.push_back(std::make_unique<Worker>(terms, std::move(gre), crew.shared));
  }
  if (!crew.housekeeping.start()) {
    problem = std::string("no netlink socket can be opened: ") + strerror(errno);
    return false;
  }
  for (const auto& worker : crew.workers) worker->start();
  return true;
}

ExitStatus serve(const Options& options) {
  if (const std::string missing = missingPrivilege(); !missing.empty())
    return complain(withoutPrivilege, missing);
  raiseDescriptorLimit();
  Descriptor signals = takeSignals();
  std::string problem;
  Descriptor door = openDoor(options.socketPath, options.socketMode, problem);
  if (!door) return complain(failed, problem);

  const auto crew = std::make_unique<Crew>();
  if (!hire(*crew, options.workers, problem)) return complain(failed, problem);
  std::make_unique<Control>(*crew, std::move(door), std::move(signals))->run();
  unlink(options.socketPath.c_str());
  crew->end();
  return ended;
}

ExitStatus run(int count, char** arguments) {
  const std::string_view only = count == 2 ? arguments[1] : "";
  if (only == "--contract") {
    contract::print();
    return ended;
  }
  if (only == "--version") {
    printf("pptp-engine %s, contract %d\n", engineVersion, contract::version);
    return ended;
  }
  Options options;
  if (!parseOptions(count, arguments, options))
    return complain(
        wrongOptions,
        "usage: pptp-engine --socket PATH [--socket-mode MODE] [--workers N] | --contract | --version");
  return serve(options);
}

}  // namespace
}  // namespace pptp

int main(int count, char** arguments) { return pptp::run(count, arguments); }
