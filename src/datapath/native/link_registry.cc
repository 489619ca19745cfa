#include "link_registry.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pptp {

using namespace contract;

LinkRegistry::Record* LinkRegistry::find(uint32_t handle) {
  Record* record = records_[slotOf(handle)].get();
  const bool isHeld = record != nullptr && record->handle == handle;
  if (isHeld && (record->state == State::open || record->state == State::opening)) return record;
  staleHandles_++;
  return nullptr;
}

void LinkRegistry::open(MessageView message) {
  const auto command = message.as<LinkOpen>();
  const uint16_t slot = slotOf(command.link);
  if (generationOf(command.link) == 0) return outbox_.push(LinkOpened{command.link, EINVAL, 0});
  if (records_[slot] != nullptr) return outbox_.push(LinkOpened{command.link, EEXIST, 0});
  records_[slot].reset(new Record{command.link});
  memcpy(records_[slot]->name, command.name, sizeof command.name);
  records_[slot]->isPort = command.bridge[0] != 0;
  held_++;
  crew_.housekeeping.commands().push(message);
}

void LinkRegistry::opened(const TunOpened& event) {
  std::unique_ptr<Record>& record = records_[slotOf(event.link)];
  invariant(record != nullptr && record->state == State::opening,
            "housekeeping opens what it was told to open");
  outbox_.push(LinkOpened{event.link, event.errorNumber, event.interfaceIndex});
  if (event.errorNumber != 0) {
    if (record->closeWanted) outbox_.push(LinkClosed{event.link});
    record.reset();
    held_--;
    return;
  }
  record->state = State::open;
  record->tun = event.tun;
  record->interfaceIndex = event.interfaceIndex;
  if (record->closeWanted) startClosing(*record);
}

/// The interface, if a call may be joined to it as a port of a bridge, or as none; null, and counted, if not.
LinkRegistry::Record* LinkRegistry::joinable(uint32_t handle, bool isPort) {
  Record* record = find(handle);
  if (record == nullptr || (record->state == State::open && record->isPort == isPort)) return record;
  staleHandles_++;
  return nullptr;
}

void LinkRegistry::attachCall(const CallAttach& command) {
  if (command.link == 0) return calls_.attach(command, -1);
  Record* record = joinable(command.link, false);
  if (record == nullptr) return;
  unwatch(*record);
  calls_.attach(command, record->tun);
}

void LinkRegistry::bridgeCall(const CallBridge& command) {
  if (command.link == 0) return calls_.bridge(command, -1);
  Record* record = joinable(command.link, true);
  if (record == nullptr) return;
  unwatch(*record);
  calls_.bridge(command, record->tun);
}

void LinkRegistry::watch(uint32_t handle) {
  Record* record = find(handle);
  if (record == nullptr || record->state != State::open || record->watched) return;
  record->watched = true;
  poller_.add(record->tun, Source::link, slotOf(handle));
}

void LinkRegistry::ready(uint32_t slot) {
  Record* record = records_[slot].get();
  if (record == nullptr || !record->watched) return;  // taken back in this same turn
  unwatch(*record);
  outbox_.push(LinkWanted{record->handle});
}

void LinkRegistry::unwatch(Record& record) {
  if (record.watched) poller_.remove(record.tun);
  record.watched = false;
}

void LinkRegistry::close(uint32_t handle) {
  Record* record = find(handle);
  if (record == nullptr) return;
  record->closeWanted = true;
  if (record->state == State::open) startClosing(*record);
}

void LinkRegistry::startClosing(Record& record) {
  unwatch(record);
  record.state = State::closing;
  record.workersLeft = crew_.workers.size();
  calls_.detach(record.handle);
  for (const auto& worker : crew_.workers) worker->commands().push(ReleaseLink{record.handle});
}

void LinkRegistry::released(uint32_t handle) {
  Record& record = *records_[slotOf(handle)];
  if (--record.workersLeft > 0) return;
  CloseTun order{record.handle, record.interfaceIndex, record.tun, {}};
  memcpy(order.name, record.name, sizeof order.name);
  crew_.housekeeping.commands().push(order);
}

void LinkRegistry::closed(MessageView event) {
  records_[slotOf(event.as<LinkClosed>().link)]->state = State::gone;
  outbox_.push(event);
}

void LinkRegistry::release(uint32_t handle) {
  std::unique_ptr<Record>& record = records_[slotOf(handle)];
  if (record == nullptr || record->handle != handle || record->state != State::gone) return;
  record.reset();
  held_--;
}

void LinkRegistry::snapshot(Outbox& into) const {
  for (const auto& record : records_) {
    if (record == nullptr) continue;
    LinkHeld held{record->handle, record->interfaceIndex, {}};
    memcpy(held.name, record->name, sizeof held.name);
    into.push(held);
  }
}

bool LinkRegistry::closeSome() {
  constexpr size_t room = 4096;
  for (; closeFrom_ < slotCount; closeFrom_++) {
    Record* record = records_[closeFrom_].get();
    if (record == nullptr || record->closeWanted) continue;
    if (!crew_.hasRoom(room)) return false;
    close(record->handle);
  }
  return std::none_of(records_.begin(), records_.end(),
                      [](const auto& record) { return record != nullptr && record->state != State::gone; });
}

}  // namespace pptp
