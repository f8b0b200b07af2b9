// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

// ---- where the options of a transport say nothing

/** `--heartbeat-ms` */
export const HEARTBEAT_MS = 500;
/** `--heartbeat-deadline-ms` */
export const PEER_TIMEOUT_MS = 2000;
/** How long `connect` keeps trying: a process on a busy machine takes seconds until it listens. */
export const CONNECT_DEADLINE_MS = 30_000;
/** Between two attempts: nobody notices so little, and a machine does not notice so few. */
export const RETRY_MS = 50;
/** What the last words to a peer may take, where the caller does not say. */
export const FAREWELL_MS = 1000;

// ---- connecting

/**
 * Whoever connects has so long for its handshake; then libzmq hangs up, and whoever was too slow tries again.
 * Each takes up a descriptor for so long, so that is how soon others get in when there are no more.
 */
export const HANDSHAKE_MS = 3000;
/** How many wait in the kernel to be accepted, the first first: all workers of a large job may come at once. */
export const BACKLOG = 1024;
/** Nobody gets in while a limit is reached, and that does not change from one moment to the next. */
export const LIMIT_PAUSE_MS = 60_000;
/** For a process that stood still: what came meanwhile is read before anything is concluded. */
export const READ_MS = 1000;
/** A handshake is done in milliseconds: whoever has accepted and is silent for so long is told of. */
export const MUTE_MS = 2000;
/** For its key, in a row: once may be a handshake that took too long, of a process that stood still. */
export const MOST_REFUSALS = 2;
/** Both ends greet at once; whoever has not by then does not speak ZMTP. */
export const GREETING_MS = 2000;
/** How long the addresses of a name are tried in turn before it is looked up again. */
export const NAME_KEPT_MS = 5000;
/** Name servers are not for being asked twenty times a second. */
export const NAME_PAUSE_MS = 1000;
/** A refusal comes back at once; whatever takes longer is the network that gives up. */
export const REFUSED_WITHIN_MS = 1000;
/** How long one attempt may take; less where there is another address to try. */
export const ATTEMPT_MS = 10_000;
export const ATTEMPT_OF_SEVERAL_MS = 2000;
/** A scanner tries again and again: after one is told of, others are only counted for so long. */
export const STRANGERS_PAUSE_MS = 60_000;

// ---- several messages in one

/** So that the receiver can begin while the rest is still written. */
export const MOST_BATCHED = 16;
/** A larger frame takes a while to travel: it goes alone. */
export const LARGE_BYTES = 16 * 1024;
/** More than this beside the frames takes its time at the other end too, while this one goes on. */
export const LARGE_BESIDE_BYTES = 512 * 1024;

// ---- shared memory

/**
 * Pages of the file take memory only once they were written. A worker sends all gradients of a large model
 * before it hears which of them were read: with 32 MiB two thirds of 25.6 M floats went through the
 * socket, and were copied for it first.
 */
export const OUTBOX_BYTES = 256 * 1024 * 1024;
/** A larger payload goes through the socket: whoever is told of one makes room for it. */
export const MOST_SHARED_BYTES = 32 * 1024 * 1024;
/** Below this a frame costs less than a reference. */
export const LEAST_SHARED_BYTES = 16 * 1024;
/** What was read is told of along with something else, or by itself after this much. */
export const TELL_READ_BYTES = 4 * 1024 * 1024;

// ---- as on another network

/** Timers come a millisecond late or so: what is due so soon goes at once, and later ones catch up. */
export const EARLY_MS = 0.5;
/** A message beside its payload, with what ZMTP, TCP and IP add: about so much. */
export const MESSAGE_BYTES = 200;

/** How long what nobody waits for waits for other messages to travel with. */
export const UNHURRIED_MS = 5;
