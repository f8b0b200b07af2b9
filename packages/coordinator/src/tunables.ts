import type { Transport } from '@tutti/protocol';
import type { Deadlines } from './coordinator-settings.js';

// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

/** Where `deadlines` says nothing: `--join-deadline-ms`, `--step-deadline-ms` and their like. */
export const DEADLINES: Deadlines = {
  joinMs: 120_000,
  stepMs: 120_000,
  serverMs: 30_000,
  progressMs: 15_000,
};

/** Where nobody says how many workers a job starts with: it cannot know how many are started elsewhere. */
export const DEFAULT_WORKERS = 2;

// ---- peers that may be gone. Their silence is a setting of the transport: `--heartbeat-deadline-ms`.

/** What is assumed where a transport does not say. */
const PEER_TIMEOUT_MS = 2000;

/**
 * How long the last word to a peer may take. A cut that heals before the peer counts as gone must not
 * keep it: who misses the end of a job looks for the coordinator for minutes.
 */
export const farewellMs = ({ peerTimeoutMs = PEER_TIMEOUT_MS }: Transport) => peerTimeoutMs + 2000;

/** So many refusals of a kind are told in such a while; others are only counted. */
export const STRAYS_AT_ONCE = 8;
export const STRAYS_PERIOD_MS = 60_000;

/** How long who comes with the name of one who is there waits for that one to be missed. */
export const namesakeMs = ({ peerTimeoutMs = PEER_TIMEOUT_MS }: Transport) => peerTimeoutMs + 3000;

/** How long a server whose standby is there is waited for when a coordinator comes back. */
export const STANDBY_PATIENCE_MS = 3000;

/**
 * How long a server may lack what another that holds the same has applied, before all compute it again; from each
 * time on twice as long, or a slow network would never be done.
 */
export const BEHIND_PATIENCE_MS = 5000;

/** How long a server in a worker's process that is not reached is awaited before another takes its range, empty. */
export const HOST_PATIENCE_MS = 10_000;

/** How long a server that is given what others have may take nothing of it, while the training waits for it. */
export const CATCH_UP_PATIENCE_MS = 5000;
/** How long after that it is not tried again; from each time on twice as long. */
export const CATCH_UP_PAUSE_MS = 30_000;

/** A server that was given up must notice first that the connection before is lost, then it listens. */
export const DISMISSAL_FIRST_MS = 200;
/** How long one try lasts, and the pause until the next: a server that is dead is tried for ever. */
export const DISMISSAL_TRY_MS = 1000;
export const DISMISSAL_PAUSE_MS = 3000;

/** A disk that does not answer must not keep a run from ending. */
export const DISK_PATIENCE_MS = 5000;

/**
 * Bytes of values on their way to the servers at a time. They come in faster than a server stores
 * them, and whatever waits before it is memory that it (and whoever forwards them) must have.
 */
export const WINDOW_BYTES = 8 * 1024 * 1024;

// ---- silence: `--progress-deadline-ms` is the least that is waited

/** Who is not heard for so many times as long as its work usually takes hangs. */
export const SILENCE_PATIENCE = 10;
/** How many times `progressMs` are waited while nobody has managed such work even once. */
export const FIRST_PATIENCE = 4;
/**
 * More than this between two looks does not count: the clock leapt, or this process was itself held
 * up, and what the workers said is still unread.
 */
export const LONGEST_LOOK_MS = 2000;
/** The silence of who makes initial values is counted in ticks, for the same reason. */
export const INITIAL_VALUES_TICK_MS = 1000;

// ---- stragglers

/** Looks at who is late are this far apart at first, and then further the longer a step lasts. */
export const LEAST_PAUSE_MS = 50;
export const LONGEST_PAUSE_MS = 1000;
/**
 * Looking at all workers costs a time that grows with their number, and is wanted at every report: with
 * more than so many it rests afterwards, for this long for each more, some ten times what it took.
 */
export const REST_WORKERS = 64;
export const REST_MS = 0.02;
/** Nobody is late before: a message can take as long. */
export const LEAST_LATE_MS = 20;
/** Half as long again as usual is late; more, where times waver, by so many median deviations. */
export const LATE = 0.5;
export const LATE_DEVIATIONS = 5;
/** The latest micro-batches of all workers that say what is usual. */
export const USUAL_WINDOW = 32;
/** Whoever is not late yet is helped if that makes the step this much shorter. */
export const WORTH_HELPING = 1.3;

// ---- servers that go on without an order

/** Steps that they may, and how long these may take: who ends the run with Ctrl-C waits for them. */
export const MOST_STEPS_AHEAD = 16;
export const LOOK_AHEAD_MS = 100;

// ---- sharing out

/** A step must become this much shorter for shards to move while nobody comes or goes. */
export const WORTH_MOVING = 0.9;
/** Steps between two looks at how the shards are shared out, and fewer if somebody was late. */
export const SETTLED_STEPS = 10;
export const SETTLED_STEPS_WHEN_LATE = 3;
/** Steps after which a worker is tried again that was too slow for any shard. */
export const TRIAL_STEPS = 10;
/** Measurements of a worker that a median is taken of: half of them show that it became slower. */
export const SPEED_WINDOW = 7;
/** A worker is judged by its speed after so many. */
export const SPEED_ENOUGH = 3;
/** Slow is who takes this many times what most do. */
export const SLOW = 1.5;

// ---- what is shown

/** Reports over which the speed of a worker is taken that `tutti status` shows. */
export const SHOWN_SPEED_WINDOW = 20;

// ---- what was told, for whoever looks at the job later

/** Where there are more steps, every second one is kept, then every fourth: enough for any curve. */
export const MOST_STEP_EVENTS = 2000;
export const MOST_OTHER_EVENTS = 1000;
/** What one answer holds at most, so that it stays a small message. */
export const MOST_TOLD_AT_ONCE = 250;

/** Chunks in one order to apply sums: with their digests the answer must fit into a header. */
export const MOST_CHUNKS_AT_ONCE = 4096;
