// Multilink on one link: laws on small cases, and long seeded runs in which parts are lost, doubled and late.
#include "multilink.h"

#include <algorithm>

#include "check.h"

using namespace pptp;
using check::Bytes;

namespace {

struct Part {
  FragmentHeader header;
  Bytes data;
};

/// Cuts a frame into parts of at most `most` octets.
std::vector<Part> cut(const Bytes& frame, size_t most, uint32_t& sequence) {
  std::vector<Part> parts;
  for (size_t at = 0; at < frame.size(); at += most) {
    const size_t end = std::min(at + most, frame.size());
    parts.push_back({{sequence, at == 0, end == frame.size()}, Bytes(frame.data() + at, frame.data() + end)});
    sequence = (sequence + 1) & 0xFFFFFF;
  }
  return parts;
}

Bytes copy(std::span<const uint8_t> octets) { return {octets.begin(), octets.end()}; }

/// A reassembly, fed with parts of one octet: `feed(7, "B")` begins, "E" ends, "BE" is whole.
struct Feed {
  Reassembly reassembly{100};
  FragmentFate fate = FragmentFate::useless;
  uint32_t lost = 0;
  uint32_t malformed = 0;

  Feed& operator()(uint32_t sequence, std::string_view flags = "") {
    const uint8_t octet = static_cast<uint8_t>(sequence);
    const FragmentHeader header{sequence, flags.find('B') != flags.npos, flags.find('E') != flags.npos};
    const Reassembly::Taken taken = reassembly.take(header, {&octet, 1});
    fate = taken.fate;
    lost += taken.lost;
    malformed += taken.isMalformed;
    return *this;
  }
};

}  // namespace

LAW("a header is read as it was written, and a short one has twelve bits") {
  uint8_t room[8];
  uint8_t* const end = room + sizeof room;
  const uint8_t* at = fragmentPrepend(end, {0xABCDEF, true, false}, false);
  CHECK(Bytes(at, static_cast<const uint8_t*>(end)) == check::hex("80ABCDEF"));
  FragmentHeader read;
  CHECK(fragmentParse(at, 4, read) && read.sequence == 0xABCDEF && read.begins && !read.ends);
  CHECK(!fragmentParse(at, 3, read));
  at = fragmentPrepend(end, {0xABCDEF, false, true}, true);
  CHECK(Bytes(at, static_cast<const uint8_t*>(end)) == check::hex("4DEF"));
}

LAW("parts in order are a frame, whatever number was the first, and numbers wrap") {
  Feed feed;
  feed(0xFFFFFE, "B")(0xFFFFFF);
  CHECK(feed.fate == FragmentFate::kept);
  feed(0, "E");
  CHECK(feed.fate == FragmentFate::complete && feed.lost == 0);
  CHECK(copy(feed.reassembly.frame()) == check::hex("FEFF00"));
}

LAW("a frame of one part is whole and is not copied") {
  Feed feed;
  feed(5, "BE");
  CHECK(feed.fate == FragmentFate::whole && feed.reassembly.frame().empty());
}

LAW("a frame that misses a part is given up, and the next one is not") {
  Feed feed;
  feed(1, "B")(3, "E");
  CHECK(feed.fate == FragmentFate::useless && feed.lost == 1);
  feed(4, "B")(5, "E");
  CHECK(feed.fate == FragmentFate::complete && feed.lost == 1 && feed.malformed == 0);
  CHECK(copy(feed.reassembly.frame()) == check::hex("0405"));
}

LAW("a part that comes late or again is of no use") {
  Feed feed;
  feed(1, "B")(3, "B")(2, "E");
  CHECK(feed.fate == FragmentFate::late);
  feed(3, "B");
  CHECK(feed.fate == FragmentFate::late);
  feed(4, "E");
  CHECK(feed.fate == FragmentFate::complete && copy(feed.reassembly.frame()) == check::hex("0304"));
}

LAW("a peer that begins its numbers anew is believed after a run of late ones") {
  Feed feed;
  feed(1000, "BE");
  for (uint32_t sequence = 1; sequence < fragmentLateRun; sequence++) {
    feed(sequence, "BE");
    CHECK(feed.fate == FragmentFate::late);
  }
  feed(fragmentLateRun, "BE");
  CHECK(feed.fate == FragmentFate::whole);
  feed(fragmentLateRun + 1, "BE");
  CHECK(feed.fate == FragmentFate::whole && feed.lost == 0);
}

LAW("a frame that is too long or has no end is malformed") {
  Feed feed;
  feed(0, "B")(1, "B");
  CHECK(feed.malformed == 1);
  for (uint32_t sequence = 2; sequence < 101; sequence++) feed(sequence);
  CHECK(feed.fate == FragmentFate::kept && feed.malformed == 1);
  feed(101);
  CHECK(feed.fate == FragmentFate::tooLong && feed.malformed == 2);
  feed(102, "E");
  CHECK(feed.fate == FragmentFate::useless && feed.malformed == 2);
  const Bytes first(101);
  CHECK(feed.reassembly.take({103, true, false}, first).fate == FragmentFate::tooLong);
}

LAW("of a lossy line come frames that were sent, each once, and all that lost no part") {
  auto random = check::random();
  uint32_t sequence = 0xFFFF00;
  Reassembly reassembly(3000);
  uint64_t lost = 0;
  uint64_t dropped = 0;
  reassembly.take({sequence - 1, true, true}, {});
  for (int run = 0; run < 20'000; run++) {
    const Bytes frame = check::randomBytes(random, 1 + random() % 3000);
    bool isWhole = true;
    bool hasCome = false;
    for (const Part& part : cut(frame, 1 + random() % 1500, sequence)) {
      if (random() % 50 == 0) {
        isWhole = false;
        dropped++;
        continue;
      }
      const Reassembly::Taken taken = reassembly.take(part.header, part.data);
      lost += taken.lost;
      if (taken.fate == FragmentFate::whole) CHECK(part.data == frame);
      if (taken.fate == FragmentFate::complete) CHECK(copy(reassembly.frame()) == frame);
      hasCome |= taken.fate == FragmentFate::whole || taken.fate == FragmentFate::complete;
      if (random() % 50 == 0) CHECK(reassembly.take(part.header, part.data).fate == FragmentFate::late);
    }
    CHECK(hasCome == isWhole);
  }
  lost += reassembly.take({sequence, true, true}, {}).lost;
  CHECK(lost == dropped);
}

LAW("no octets that a stranger may send lead beyond the memory") {
  auto random = check::random();
  Reassembly reassembly(200);
  for (int run = 0; run < 200'000; run++) {
    const Bytes octets = check::randomBytes(random, random() % 120);
    FragmentHeader header;
    if (!fragmentParse(octets.data(), octets.size(), header)) continue;
    header.sequence &= 0x1F;
    reassembly.take(header, std::span(octets).subspan(fragmentHeaderSize));
    CHECK(reassembly.frame().size() <= 200);
  }
}
