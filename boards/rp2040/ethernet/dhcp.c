// SPDX-License-Identifier: MIT
// The DHCP client: states, deadlines, what is asked.
//
// Spec: RFC 2131 3, 4.1, 4.4. Retries after 4, 8, 16 s, one second more or less. A lease counts from the moment when it
// was asked for. While a lease is verified after the cable was away it is still used: it has not ended.
//
//   HALTED -cable-> INIT -> SELECTING -offer-> REQUESTING -ack-> CHECKING -free-> BOUND -T1-> RENEWING -T2-> REBINDING
//   HALTED -cable, lease-> REBOOTING -ack or silence-> BOUND; NAK, silence, the lease's end -> INIT

#include "dhcp.h"
#include "dhcp-message.h"
#include "memory.h"

enum {
  RETRIES = 3,
  RETRY_US = 4000000,
  SECOND_US = 1000000,
  START_US_MAX = 1000000,    // by chance: a plant does not ask all at once
  DECLINED_US = 10000000,    // RFC 2131 3.1.5
  RENEW_US_MIN = 60000000,   // RFC 2131 4.4.5
};

static uint64_t some_us(uint32_t most) { return dhcp_random() % (most + 1); }

static uint64_t retry_us(unsigned tries) {
  const unsigned doublings = tries < RETRIES ? tries : RETRIES - 1;
  return ((uint64_t)RETRY_US << doublings) - SECOND_US + some_us(2 * SECOND_US);
}

static void enter(struct dhcp *dhcp, enum dhcp_state state, uint64_t due_us) {
  dhcp->state = state;
  dhcp->tries = 0;
  dhcp->due_us = due_us;
}

static void begin(struct dhcp *dhcp, uint64_t now_us, uint64_t delay_us) {
  dhcp->lease = dhcp->offer = (struct dhcp_lease){ 0 };
  dhcp->xid = dhcp_random();
  dhcp->began_us = now_us;
  enter(dhcp, DHCP_INIT, now_us + delay_us);
}

void dhcp_start(struct dhcp *dhcp, const uint8_t mac[6], const char *name) {
  memset(dhcp, 0, sizeof *dhcp);
  enter(dhcp, DHCP_HALTED, ~0ull);
  memcpy(dhcp->mac, mac, sizeof dhcp->mac);
  for (unsigned i = 0; i + 1 < DHCP_NAME_MAX && name[i] != 0; i++) dhcp->name[i] = name[i];
}

void dhcp_cable(struct dhcp *dhcp, bool up, uint64_t now_us) {
  if (up == (dhcp->state != DHCP_HALTED)) return;
  if (!up) {
    enter(dhcp, DHCP_HALTED, ~0ull);
  } else if (dhcp->lease.address != 0 && now_us < dhcp->lease.end_us) {
    dhcp->offer = dhcp->lease;
    dhcp->xid = dhcp_random();
    dhcp->began_us = now_us;
    enter(dhcp, DHCP_REBOOTING, now_us);
  } else {
    begin(dhcp, now_us, some_us(START_US_MAX));
  }
}

static void bind(struct dhcp *dhcp) {
  dhcp->lease = dhcp->offer;
  enter(dhcp, DHCP_BOUND, dhcp->lease.t1_us);
}

// Half of what is left, but not more often than once a minute.
static uint64_t renew_again_us(uint64_t now_us, uint64_t end_us) {
  const uint64_t half_us = end_us > now_us ? (end_us - now_us) / 2 : 0;
  return half_us < RENEW_US_MIN ? end_us : now_us + half_us;
}

static void ask(struct dhcp *dhcp, uint64_t now_us, struct dhcp_message *message, uint8_t type) {
  const uint64_t seconds = (now_us - dhcp->began_us) / SECOND_US;
  dhcp->asked_us = now_us;
  dhcp->tries++;
  write_message(message, dhcp, type, (uint16_t)(seconds < 0xffff ? seconds : 0xffff));
}

// What follows a request that nobody answered.
static void give_up(struct dhcp *dhcp, uint64_t now_us) {
  if (dhcp->state == DHCP_REBOOTING) {
    enter(dhcp, DHCP_BOUND, dhcp->lease.t1_us); // RFC 2131 3.2: until the lease ends
  } else {
    begin(dhcp, now_us, some_us(START_US_MAX));
  }
}

static bool poll_renewal(struct dhcp *dhcp, uint64_t now_us, struct dhcp_message *message) {
  const struct dhcp_lease *lease = &dhcp->lease;
  if (now_us >= lease->end_us) {
    begin(dhcp, now_us, 0);
    return false;
  }
  const bool rebinds = now_us >= lease->t2_us;
  const enum dhcp_state wanted = rebinds ? DHCP_REBINDING : DHCP_RENEWING;
  if (dhcp->state != wanted) {
    dhcp->state = wanted;
    dhcp->xid = dhcp_random();
    dhcp->began_us = now_us;
    dhcp->offer = dhcp->lease;
  }
  ask(dhcp, now_us, message, DHCP_REQUEST);
  dhcp->due_us = renew_again_us(now_us, rebinds ? lease->end_us : lease->t2_us);
  return true;
}

bool dhcp_poll(struct dhcp *dhcp, uint64_t now_us, struct dhcp_message *message) {
  if (dhcp->conflict != 0) {
    write_message(message, dhcp, DHCP_DECLINE, 0);
    dhcp->conflict = 0;
    begin(dhcp, now_us, DECLINED_US);
    return true;
  }
  if (now_us < dhcp->due_us) return false;
  switch (dhcp->state) {
    case DHCP_INIT:
      enter(dhcp, DHCP_SELECTING, now_us);
      // fall through
    case DHCP_SELECTING: // for ever: a server may come back
      ask(dhcp, now_us, message, DHCP_DISCOVER);
      dhcp->due_us = now_us + retry_us(dhcp->tries - 1);
      return true;
    case DHCP_REQUESTING:
    case DHCP_REBOOTING:
      if (dhcp->tries >= RETRIES || (dhcp->lease.address != 0 && now_us >= dhcp->lease.end_us)) {
        give_up(dhcp, now_us);
        return false;
      }
      ask(dhcp, now_us, message, DHCP_REQUEST);
      dhcp->due_us = now_us + retry_us(dhcp->tries - 1);
      return true;
    case DHCP_BOUND:
    case DHCP_RENEWING:
    case DHCP_REBINDING: return poll_renewal(dhcp, now_us, message);
    default: dhcp->due_us = ~0ull; return false; // HALTED, CHECKING: somebody else speaks next
  }
}

void dhcp_checked(struct dhcp *dhcp, uint64_t now_us, bool taken) {
  if (dhcp->state != DHCP_CHECKING) return;
  if (taken) {
    dhcp->conflict = dhcp->offer.address;
    dhcp->counters.conflicts++;
    dhcp->due_us = now_us;
  } else {
    bind(dhcp);
  }
}

static bool awaits_answer(const struct dhcp *dhcp) {
  return dhcp->state == DHCP_REQUESTING || dhcp->state == DHCP_RENEWING ||
      dhcp->state == DHCP_REBINDING || dhcp->state == DHCP_REBOOTING;
}

// Only who was asked may answer; when all were asked, anybody.
static bool may_answer(const struct dhcp *dhcp, const struct dhcp_answer *answer) {
  if (dhcp->state == DHCP_REBINDING || dhcp->state == DHCP_REBOOTING) return true;
  return answer->server == dhcp->offer.server;
}

// A lease and its times; those that make no sense are replaced (RFC 2131 4.4.5).
static void set_times(struct dhcp_lease *lease, const struct dhcp_answer *answer, uint64_t from) {
  const uint64_t length_us = (uint64_t)answer->lease_s * SECOND_US;
  uint64_t t1_us = (uint64_t)answer->t1_s * SECOND_US, t2_us = (uint64_t)answer->t2_s * SECOND_US;
  if (t2_us == 0 || t2_us >= length_us) t2_us = length_us / 8 * 7;
  if (t1_us == 0 || t1_us >= t2_us) t1_us = length_us / 2 < t2_us ? length_us / 2 : t2_us / 2;
  const bool for_ever = answer->lease_s == DHCP_FOR_EVER;
  lease->t1_us = for_ever ? ~0ull : from + t1_us;
  lease->t2_us = for_ever ? ~0ull : from + t2_us;
  lease->end_us = for_ever ? ~0ull : from + length_us;
}

static void take_offer(struct dhcp *dhcp, uint64_t now_us, const struct dhcp_answer *answer) {
  if (dhcp->state != DHCP_SELECTING) {
    dhcp->counters.unexpected++;
    return;
  }
  dhcp->offer = (struct dhcp_lease){ .address = answer->address, .server = answer->server };
  enter(dhcp, DHCP_REQUESTING, now_us);
}

static void take_ack(struct dhcp *dhcp, uint64_t now_us, const struct dhcp_answer *answer) {
  if (!awaits_answer(dhcp) || !may_answer(dhcp, answer) ||
      answer->address != dhcp->offer.address) {
    dhcp->counters.unexpected++;
    return;
  }
  dhcp->offer.mask = answer->mask;
  dhcp->offer.router = answer->router;
  dhcp->offer.server = answer->server;
  set_times(&dhcp->offer, answer, dhcp->asked_us);
  dhcp->counters.leases++;
  if (dhcp->state == DHCP_REQUESTING) enter(dhcp, DHCP_CHECKING, now_us);
  else bind(dhcp);
}

static void take_nak(struct dhcp *dhcp, uint64_t now_us, const struct dhcp_answer *answer) {
  if (!awaits_answer(dhcp) || !may_answer(dhcp, answer)) {
    dhcp->counters.unexpected++;
    return;
  }
  dhcp->counters.refusals++;
  begin(dhcp, now_us, some_us(START_US_MAX));
}

void dhcp_take(struct dhcp *dhcp, uint64_t now_us, const uint8_t *octets, unsigned length) {
  struct dhcp_answer answer;
  switch (read_message(&answer, dhcp, octets, length)) {
    case READ_MALFORMED: dhcp->counters.malformed++; return;
    case READ_FOREIGN: dhcp->counters.foreign++; return;
    default: break;
  }
  if (answer.type == DHCP_OFFER) take_offer(dhcp, now_us, &answer);
  else if (answer.type == DHCP_ACK) take_ack(dhcp, now_us, &answer);
  else if (answer.type == DHCP_NAK) take_nak(dhcp, now_us, &answer);
  else dhcp->counters.unexpected++;
}
