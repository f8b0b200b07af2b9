import type { Transport } from '@tutti/protocol';

// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

/** Where the settings say nothing: `--return-deadline-ms`. */
export const RETURN_DEADLINE_MS = 120_000;

/** For a transport that does not say after how much silence a peer is gone. */
export const PEER_TIMEOUT_MS = 2000;

/** How long a coordinator that asks for the server of another waits for that one to be missed. */
export const contenderMs = ({ peerTimeoutMs = PEER_TIMEOUT_MS }: Transport) => peerTimeoutMs + 500;

/** More are none of a plan: each costs a server memory before it has any weights. */
export const MOST_CHUNKS = 65_536;

/** So many refusals are told in such a while; others are only counted. */
export const REFUSALS_AT_ONCE = 8;
export const REFUSALS_PERIOD_MS = 60_000;

/** The last word to a peer: one that is gone must not keep this process. */
export const FAREWELL_MS = 1000;

/** Facts of sums in one message: with the squares of their blocks they must fit into a header. */
export const MOST_SUMS_AT_ONCE = 1024;

/** Reports of shards in one message: they must fit into a header. */
export const MOST_REPORTS_AT_ONCE = 1024;
