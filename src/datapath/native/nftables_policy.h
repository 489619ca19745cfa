// Which nftables requests control may make through the engine: what filters and address lists need in `table
// ip pptp`, and nothing else, so that a subverted control cannot touch the host's firewall. Pure.
//
// Ours in that table are the chains `ppp` and `ppp-forward`, the maps `incoming` and `outgoing`, and the sets
// whose names begin with `list-`; all else is the operator's. Attributes are those that control sends, each
// once, and no other.
//
// | request | allowed if |
// |---|---|
// | NEWTABLE | ours, without flags |
// | NEWCHAIN | `ppp`, without a hook; `ppp-forward`, hooked to forward at priority 0, accepting |
// | NEWRULE | in `ppp`: ask one of our maps by an interface's name; in `ppp-forward`: jump to `ppp` |
// | DELRULE | all of one of our chains |
// | NEWSET | one of our maps, from interfaces to verdicts; a list, of IPv4 addresses |
// | NEWSETELEM | in a map: from one of our interfaces, a jump; in a list: any address |
// | DELSETELEM | in our maps and lists, one or all |
// | GETSET | all of the table |
#pragma once

#include "netlink_policy.h"

namespace pptp {

/// Whether `message` is one of nftables.
bool isNftables(Octets message);

/// Whether it is a question, which stands alone; the others are performed as a transaction.
bool isNftablesQuestion(Octets message);

/// `message` is exactly one nlmsghdr message of nftables, header included.
bool nftablesAllowed(Octets message, const OurInterfaces& ours);

}  // namespace pptp
