#include "nftables_policy.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>

#include <array>
#include <initializer_list>
#include <string_view>

#include "netlink_message.h"

namespace pptp {
namespace {

constexpr std::string_view ourTable = "pptp";
constexpr std::string_view dispatchChain = "ppp";
constexpr std::string_view forwardChain = "ppp-forward";
constexpr std::string_view incomingMap = "incoming";
constexpr std::string_view outgoingMap = "outgoing";
constexpr std::string_view listPrefix = "list-";

constexpr uint16_t tableAttribute = NFTA_TABLE_NAME;
static_assert(tableAttribute == NFTA_CHAIN_TABLE && tableAttribute == NFTA_RULE_TABLE &&
                  tableAttribute == NFTA_SET_TABLE && tableAttribute == NFTA_SET_ELEM_LIST_TABLE,
              "every message names its table alike");

constexpr uint32_t acceptPolicy = 1;  // NF_ACCEPT
constexpr uint32_t filterPriority = 0;
constexpr uint32_t interfaceNameType = 41;  // as nft numbers the types of keys
constexpr uint32_t ipv4AddressType = 7;

/// Attributes of one level, each at most once.
class Attributes {
 public:
  explicit Attributes(Octets octets) {
    isSound_ = everyAttribute(octets, [this](uint16_t type, Octets value) {
      if (type >= values_.size() || values_[type]) return false;
      values_[type] = value;
      count_++;
      return true;
    });
  }

  /// Exactly these are there.
  bool are(std::initializer_list<uint16_t> types) const {
    return isSound_ && count_ == types.size() &&
           std::all_of(types.begin(), types.end(), [this](uint16_t type) { return bool(values_[type]); });
  }

  Octets octets(uint16_t type) const { return values_[type].value_or(Octets()); }
  Attributes within(uint16_t type) const { return Attributes(octets(type)); }

  /// As the kernel reads it: up to the first zero.
  std::string_view text(uint16_t type) const {
    const Octets value = octets(type);
    const auto* start = reinterpret_cast<const char*>(value.data());
    return {start, value.empty() ? 0 : strnlen(start, value.size())};
  }

  bool is(uint16_t type, std::string_view wanted) const { return text(type) == wanted; }

  bool is(uint16_t type, uint32_t wanted) const {
    uint32_t value = 0;
    if (octets(type).size() != sizeof value) return false;
    memcpy(&value, octets(type).data(), sizeof value);
    return ntohl(value) == wanted;
  }

 private:
  std::array<std::optional<Octets>, 16> values_;
  size_t count_ = 0;
  bool isSound_ = false;
};

/// Calls `visit(value)` for each element of a list; false if there is anything else, or `visit` said so.
template <class Visit>
bool everyElement(Octets list, Visit visit) {
  return everyAttribute(
      list, [&](uint16_t type, Octets value) { return type == NFTA_LIST_ELEM && visit(Attributes(value)); });
}

bool isMap(std::string_view set) { return set == incomingMap || set == outgoingMap; }
bool isList(std::string_view set) { return set.starts_with(listPrefix); }

/// In attributes that hold one datum.
bool isJump(const Attributes& data) {
  const Attributes verdict = data.within(NFTA_DATA_VERDICT);
  return data.are({NFTA_DATA_VERDICT}) && verdict.are({NFTA_VERDICT_CODE, NFTA_VERDICT_CHAIN}) &&
         verdict.is(NFTA_VERDICT_CODE, static_cast<uint32_t>(NFT_JUMP));
}

bool chainAllowed(const Attributes& chain) {
  if (chain.is(NFTA_CHAIN_NAME, dispatchChain)) return chain.are({tableAttribute, NFTA_CHAIN_NAME});
  const Attributes hook = chain.within(NFTA_CHAIN_HOOK);
  return chain.are({tableAttribute, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY, NFTA_CHAIN_TYPE}) &&
         chain.is(NFTA_CHAIN_NAME, forwardChain) && chain.is(NFTA_CHAIN_TYPE, "filter") &&
         chain.is(NFTA_CHAIN_POLICY, acceptPolicy) && hook.are({NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY}) &&
         hook.is(NFTA_HOOK_HOOKNUM, static_cast<uint32_t>(NF_INET_FORWARD)) &&
         hook.is(NFTA_HOOK_PRIORITY, filterPriority);
}

/// Our three rules, each expression as it is in them.
bool expressionAllowed(std::string_view chain, std::string_view kind, const Attributes& data) {
  if (chain == forwardChain) {
    const Attributes verdict = data.within(NFTA_IMMEDIATE_DATA);
    return kind == "immediate" && data.are({NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA}) &&
           data.is(NFTA_IMMEDIATE_DREG, static_cast<uint32_t>(NFT_REG_VERDICT)) && isJump(verdict) &&
           verdict.within(NFTA_DATA_VERDICT).is(NFTA_VERDICT_CHAIN, dispatchChain);
  }
  if (kind == "meta")
    return data.are({NFTA_META_DREG, NFTA_META_KEY}) &&
           (data.is(NFTA_META_KEY, static_cast<uint32_t>(NFT_META_IIFNAME)) ||
            data.is(NFTA_META_KEY, static_cast<uint32_t>(NFT_META_OIFNAME)));
  return kind == "lookup" && data.are({NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG, NFTA_LOOKUP_SET}) &&
         data.is(NFTA_LOOKUP_DREG, static_cast<uint32_t>(NFT_REG_VERDICT)) &&
         isMap(data.text(NFTA_LOOKUP_SET));
}

bool ruleAllowed(const Attributes& rule) {
  const std::string_view chain = rule.text(NFTA_RULE_CHAIN);
  return rule.are({tableAttribute, NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS}) &&
         (chain == dispatchChain || chain == forwardChain) &&
         everyElement(rule.octets(NFTA_RULE_EXPRESSIONS), [&](const Attributes& expression) {
           return expression.are({NFTA_EXPR_NAME, NFTA_EXPR_DATA}) &&
                  expressionAllowed(chain, expression.text(NFTA_EXPR_NAME),
                                    expression.within(NFTA_EXPR_DATA));
         });
}

bool ruleDeletionAllowed(const Attributes& rule) {
  const std::string_view chain = rule.text(NFTA_RULE_CHAIN);
  return rule.are({tableAttribute, NFTA_RULE_CHAIN}) && (chain == dispatchChain || chain == forwardChain);
}

bool setAllowed(const Attributes& set) {
  if (isMap(set.text(NFTA_SET_NAME)))
    return set.are({tableAttribute, NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN,
                    NFTA_SET_DATA_TYPE, NFTA_SET_ID, NFTA_SET_USERDATA}) &&
           set.is(NFTA_SET_FLAGS, static_cast<uint32_t>(NFT_SET_MAP)) &&
           set.is(NFTA_SET_KEY_TYPE, interfaceNameType) && set.is(NFTA_SET_KEY_LEN, uint32_t{IFNAMSIZ}) &&
           set.is(NFTA_SET_DATA_TYPE, static_cast<uint32_t>(NFT_DATA_VERDICT));
  return set.are({tableAttribute, NFTA_SET_NAME, NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN,
                  NFTA_SET_ID}) &&
         isList(set.text(NFTA_SET_NAME)) && set.is(NFTA_SET_FLAGS, uint32_t{0}) &&
         set.is(NFTA_SET_KEY_TYPE, ipv4AddressType) && set.is(NFTA_SET_KEY_LEN, uint32_t{sizeof(in_addr)});
}

bool additionAllowed(const Attributes& addition, const OurInterfaces& ours) {
  const std::string_view set = addition.text(NFTA_SET_ELEM_LIST_SET);
  return addition.are({tableAttribute, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS}) &&
         everyElement(addition.octets(NFTA_SET_ELEM_LIST_ELEMENTS), [&](const Attributes& element) {
           const Attributes key = element.within(NFTA_SET_ELEM_KEY);
           if (isList(set)) return element.are({NFTA_SET_ELEM_KEY}) && key.are({NFTA_DATA_VALUE});
           return isMap(set) && element.are({NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_DATA}) &&
                  key.are({NFTA_DATA_VALUE}) && ours.names.contains(std::string(key.text(NFTA_DATA_VALUE))) &&
                  isJump(element.within(NFTA_SET_ELEM_DATA));
         });
}

/// What is taken out of our own sets can only be what control has put in.
bool removalAllowed(const Attributes& removal) {
  const std::string_view set = removal.text(NFTA_SET_ELEM_LIST_SET);
  return (isMap(set) || isList(set)) &&
         (removal.are({tableAttribute, NFTA_SET_ELEM_LIST_SET}) ||
          removal.are({tableAttribute, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_ELEMENTS}));
}

uint16_t typeOf(Octets message) {
  nlmsghdr header;
  memcpy(&header, message.data(), sizeof header);
  return header.nlmsg_type;
}

}  // namespace

bool isNftables(Octets message) { return NFNL_SUBSYS_ID(typeOf(message)) == NFNL_SUBSYS_NFTABLES; }

bool isNftablesQuestion(Octets message) {
  return isNftables(message) && NFNL_MSG_TYPE(typeOf(message)) == NFT_MSG_GETSET;
}

bool nftablesAllowed(Octets message, const OurInterfaces& ours) {
  const auto head = bodyOf<nfgenmsg>(message);
  if (!head || head->nfgen_family != NFPROTO_IPV4) return false;
  const Attributes attributes(attributesOf<nfgenmsg>(message));
  if (!attributes.is(tableAttribute, ourTable)) return false;
  switch (NFNL_MSG_TYPE(typeOf(message))) {
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_GETSET:
      return attributes.are({tableAttribute});
    case NFT_MSG_NEWCHAIN:
      return chainAllowed(attributes);
    case NFT_MSG_NEWRULE:
      return ruleAllowed(attributes);
    case NFT_MSG_DELRULE:
      return ruleDeletionAllowed(attributes);
    case NFT_MSG_NEWSET:
      return setAllowed(attributes);
    case NFT_MSG_NEWSETELEM:
      return additionAllowed(attributes, ours);
    case NFT_MSG_DELSETELEM:
      return removalAllowed(attributes);
    default:
      return false;
  }
}

}  // namespace pptp
