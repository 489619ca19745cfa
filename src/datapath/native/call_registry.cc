#include "call_registry.h"

#include <algorithm>
#include <cerrno>

namespace pptp {

using namespace contract;

CallRegistry::Record* CallRegistry::find(uint32_t handle) {
  Record* record = records_[slotOf(handle)].get();
  if (record != nullptr && record->handle == handle && record->state == State::open) return record;
  staleHandles_++;
  return nullptr;
}

void CallRegistry::refuse(uint32_t handle, int errorNumber) {
  Closed closed;
  closed.call = handle;
  closed.errorNumber = static_cast<uint32_t>(errorNumber);
  outbox_.push(closed);
}

/// The call is found by packets from here on, before any later command: a reply that control sends next
/// cannot be too early.
void CallRegistry::open(MessageView message, uint64_t nowMs) {
  const auto command = message.as<CallOpen>();
  const uint16_t slot = slotOf(command.call);
  if (slot == 0 || generationOf(command.call) == 0) return refuse(command.call, EINVAL);
  if (records_[slot] != nullptr) return refuse(command.call, EEXIST);

  auto call = std::make_unique<Call>();
  call->handle = command.call;
  call->localAddress = command.localAddress;
  call->peerAddress = command.peerAddress;
  call->peerCallId = command.peerCallId;
  call->peerKnown = (command.flags & peerCallIdKnown) != 0;
  call->counters.receivedAtMs.set(nowMs);
  call->counters.networkAtMs.set(nowMs);
  call->probesSinceMs = nowMs;
  crew_.shared.calls.publish(slot, call.get());
  records_[slot].reset(new Record{command.call,
                                  0,
                                  0,
                                  command.localAddress,
                                  command.peerAddress,
                                  command.peerCallId,
                                  State::open,
                                  std::move(call),
                                  {}});
  held_++;
  crew_.owner(command.call).commands().push(message);
}

void CallRegistry::pass(MessageView message) {
  const uint32_t handle = message.as<CallClose>().call;  // all begin with the call
  if (find(handle) != nullptr) crew_.owner(handle).commands().push(message);
}

void CallRegistry::peer(MessageView message) {
  const auto command = message.as<CallPeer>();
  Record* record = find(command.call);
  if (record == nullptr) return;
  record->peerCallId = command.peerCallId;
  crew_.owner(command.call).commands().push(message);
}

void CallRegistry::memo(MessageView message) {
  Record* record = find(message.as<CallMemo>().call);
  if (record == nullptr) return;
  const Octets memo = message.tail<CallMemo>();
  record->memo.assign(memo.begin(),
                      memo.begin() + static_cast<ptrdiff_t>(std::min(memo.size(), memoBytesMax)));
}

void CallRegistry::attach(const CallAttach& command, int tun) {
  Record* record = find(command.call);
  if (record == nullptr) return;
  take(command.link, record->link, command.call);
  record->link = command.link;
  crew_.owner(command.call)
      .commands()
      .push(AttachTun{command.call, command.link, tun, command.flags, command.mssClamp});
}

void CallRegistry::bridge(const CallBridge& command, int tap) {
  Record* record = find(command.call);
  if (record == nullptr) return;
  take(command.link, record->bridgeLink, command.call);
  record->bridgeLink = command.link;
  crew_.owner(command.call)
      .commands()
      .push(AttachTap{command.call, command.link, tap, command.flags, command.takes});
}

/// An interface has one call: who had it before loses it.
void CallRegistry::take(uint32_t link, uint32_t before, uint32_t call) {
  if (link == 0) return;
  if (before != link) detach(link);
  callOfLink_[slotOf(link)] = slotOf(call);
}

void CallRegistry::detach(uint32_t link) {
  Record* record = records_[callOfLink_[slotOf(link)]].get();
  if (record == nullptr || (record->link != link && record->bridgeLink != link)) return;
  const bool isPort = record->bridgeLink == link;
  (isPort ? record->bridgeLink : record->link) = 0;
  if (record->state != State::open) return;
  Ring& commands = crew_.owner(record->handle).commands();
  if (isPort) {
    commands.push(AttachTap{record->handle, 0, -1, 0, 0});
  } else {
    commands.push(AttachTun{record->handle, 0, -1, 0, 0});
  }
}

void CallRegistry::close(MessageView message) {
  Record* record = find(message.as<CallClose>().call);
  if (record == nullptr) return;
  record->state = State::closing;
  crew_.owner(record->handle).commands().push(message);
}

void CallRegistry::closed(MessageView event) {
  Record* record = records_[slotOf(event.as<Closed>().call)].get();
  invariant(record != nullptr && record->state == State::closing,
            "a worker closes what it was told to close");
  record->state = State::gone;
  record->call.reset();
  outbox_.push(event);
}

void CallRegistry::release(uint32_t handle) {
  std::unique_ptr<Record>& record = records_[slotOf(handle)];
  if (record == nullptr || record->handle != handle || record->state != State::gone) return;
  record.reset();
  held_--;
}

void CallRegistry::snapshot(Outbox& into) const {
  for (const auto& record : records_)
    if (record != nullptr)
      into.push(CallHeld{record->handle,
                         record->link,
                         record->bridgeLink,
                         record->localAddress,
                         record->peerAddress,
                         record->peerCallId,
                         {}},
                record->memo);
}

void CallRegistry::counters(uint32_t token, uint64_t nowMs) {
  // Some kilobytes: control reads most of them where they come, and puts together those alone that two reads
  // cut.
  constexpr size_t rowsPerMessage = 64;
  std::vector<uint8_t> rows;
  const auto send = [&] {
    outbox_.push(Counters{token}, rows);
    rows.clear();
  };
  for (const auto& record : records_) {
    if (record == nullptr || record->call == nullptr) continue;
    CounterRow row;
    row.call = record->handle;
    record->call->counters.describe(row, nowMs);
    const auto* octets = reinterpret_cast<const uint8_t*>(&row);
    rows.insert(rows.end(), octets, octets + CounterRow::size);
    if (rows.size() == rowsPerMessage * CounterRow::size) send();
  }
  if (!rows.empty()) send();
}

bool CallRegistry::closeSome() {
  constexpr size_t room = 64;
  for (; closeFrom_ < slotCount; closeFrom_++) {
    Record* record = records_[closeFrom_].get();
    if (record == nullptr || record->state != State::open) continue;
    Ring& commands = crew_.owner(record->handle).commands();
    if (commands.claim(room) == nullptr) return false;
    record->state = State::closing;
    commands.push(CallClose{record->handle});
  }
  return std::none_of(records_.begin(), records_.end(),
                      [](const auto& record) { return record != nullptr && record->state != State::gone; });
}

}  // namespace pptp
