import { evaluatesAt, type JobPlan } from '@tutti/protocol';
import type { Monitor, Timeline, Wait } from '@tutti/runtime';
import type { Executor } from './compute/executor.js';
import type { ReadAhead } from './compute/read-ahead.js';
import { type Enrolment, NO_ASSIGNMENT } from './link/enrolment.js';
import type { SignsOfLife } from './link/signs-of-life.js';
import type { WeightPuller } from './link/weight-puller.js';
import type { WeightBuffer } from './link/weights.js';

/** A worker's way through the versions of the weights, as the coordinator leads it. */
export interface WorkerLoop {
  /** That of the assignment that is followed. */
  attempt(): string;
  /**
   * Whether the step under way is computed whole though the next weights may be there: the first of that attempt,
   * and those that this worker has gone back for. One of two servers that hold the same may lack what the
   * other has applied already.
   */
  computesWhole(): boolean;
  /** Goes on until the job is finished or this worker is to leave. */
  run(): Promise<void>;
}

export function createWorkerLoop(init: {
  readonly plan: JobPlan;
  readonly enrolment: Enrolment;
  readonly puller: WeightPuller;
  readonly weights: WeightBuffer;
  readonly readAhead: ReadAhead;
  readonly executor: Executor;
  readonly signsOfLife: SignsOfLife;
  readonly monitor: Monitor;
  readonly timeline: Timeline;
  readonly leaving: AbortSignal;
  /** Why there is nothing to do, where `goal` is the version asked for last. */
  readonly awaited: (goal: number) => Wait;
}): WorkerLoop {
  const { plan, enrolment, puller, weights, readAhead, executor, signsOfLife, monitor, leaving } =
    init;
  const { timeline } = init;
  /** The version under way, and the one that was asked for last. */
  let [version, goal] = [-1, -1];
  let attempt = '';
  /** The first version of that, and the last one up to which all is computed whole. */
  let [first, whole] = [-1, -1];
  let welcomes = 0;
  // Not what enrolment has by now: the first assignment may be there already.
  let assignment = NO_ASSIGNMENT;

  /** To a new coordinator, which knows nothing of what was sent to the one before. */
  async function introduce() {
    if (enrolment.welcomes() === welcomes) return;
    welcomes = enrolment.welcomes();
    executor.startAnew();
    await executor.probe();
  }

  async function initialize() {
    const chunks = enrolment.takeInitialize();
    if (chunks.length > 0) await executor.initialize(chunks);
  }

  function takeAssignment() {
    if (enrolment.assignment() === assignment) return;
    assignment = enrolment.assignment();
    if (assignment.generation === 0) return;
    executor.initialized();
    if (assignment.attempt !== attempt || goal < 0) {
      ({ attempt, step: first } = assignment);
      whole = first;
      // What was sent of these steps before is gone with the server that it was for.
      executor.startAnew();
      puller.pull(assignment.step);
    }
  }

  function takeWeights() {
    if (weights.arrived()) {
      weights.turn();
      version = weights.version();
      executor.startAnew();
      // Whoever has the new version knows that the sums of the step before are complete, at one server at least.
      executor.recycle(puller.hasStandbys() ? version - 1 : version);
    }
    // Not always what it asked for itself: it may have been too late for that.
    goal = puller.wanted();
  }

  function takeLosses() {
    const lost = puller.takeRepeat();
    if (!lost || enrolment.aggregation() !== 'server') return;
    executor.contributeAgain();
    // Of several servers that hold the same one may lack it of the step before, too.
    if (!puller.hasStandbys() || version <= first) return;
    whole = version;
    puller.pull(version - 1, version);
  }

  const ownShards = () => (assignment.step <= version ? assignment.shards : []);

  /** What of the version under way is assigned, or given because others are late, and not done. */
  function owed() {
    const own = ownShards();
    const [extra, extraEvaluation] = [enrolment.extra(), enrolment.extraEvaluation()];
    const late = extraEvaluation.version === version ? extraEvaluation.shards : [];
    const alsoLate = extra.step === version ? extra.shards : [];
    return {
      unevaluated: evaluatesAt(plan, version) ? executor.unevaluated([...own, ...late]) : [],
      uncomputed: version < plan.steps ? executor.uncomputed([...own, ...alsoLate]) : [],
    };
  }

  async function workOn() {
    if (version < plan.steps && goal === version) {
      // Each chunk comes as soon as it is there, while this version is still computed on.
      goal = version + 1;
      puller.follow(goal);
    }
    const { unevaluated } = owed();
    if (unevaluated.length > 0) await executor.evaluate(version, unevaluated);
    const { uncomputed } = owed();
    if (uncomputed.length > 0) await executor.contribute(version, uncomputed);
    // One at a time: what others need to go on comes first.
    const order = enrolment.takeOrder(version, attempt);
    if (order !== undefined) await executor.verify(order);
    readAhead.prepare(version + 1, ownShards());
  }

  /** While going back to an earlier version there is nothing to do at the later one. */
  const isUnderWay = () => version >= 0 && goal >= version;

  /** By what `workOn` would do, or the loop would spin. */
  function canWorkOn(): boolean {
    if (!isUnderWay()) return false;
    const { unevaluated, uncomputed } = owed();
    return unevaluated.length > 0 || uncomputed.length > 0 || enrolment.hasOrder(version, attempt);
  }

  const hasNews = () =>
    enrolment.finished() ||
    leaving.aborted ||
    canWorkOn() ||
    enrolment.initializeWanted() ||
    enrolment.welcomes() > welcomes ||
    enrolment.assignment() !== assignment ||
    enrolment.servers() !== puller.servers() ||
    puller.wanted() !== goal ||
    puller.isRepeatWanted() ||
    weights.arrived();

  async function waitForNews() {
    // Before the first assignment nobody expects anything; after the last version there is no goal.
    const end = goal < 0 ? () => {} : signsOfLife.begin(goal === version ? goal + 1 : goal);
    const since = timeline.now();
    try {
      await monitor.until(hasNews, () => init.awaited(goal));
    } finally {
      end();
      // Each time that something else came is one more.
      if (goal > version) timeline.passed('pull', since, goal - 1);
    }
  }

  return {
    attempt: () => attempt,
    computesWhole: () => version <= whole,
    async run() {
      while (!enrolment.finished() && !leaving.aborted) {
        puller.relocate(enrolment.servers());
        await introduce();
        await initialize();
        takeAssignment();
        takeLosses();
        takeWeights();
        if (isUnderWay()) await workOn();
        await waitForNews();
      }
    },
  };
}
