import { createKernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import { evaluatesAt } from '@tutti/protocol';
import {
  type CheckpointSink,
  createProgress,
  createRecorder,
  createSteering,
  digestOf,
  endsEpoch,
  type JobResult,
  type JobSettings,
  meansOf,
  openingFolder,
  ownCheckpoint,
  type Resume,
  type ResumePoint,
  readingCheckpoint,
  resolvePlan,
  savedAs,
  startedEvent,
  stoppedAt,
  totalOf,
  writingModel,
} from '@tutti/run';
import {
  abortError,
  type Clock,
  createMonitor,
  NO_TIMELINE,
  type Timeline,
  type WaitReport,
  withCleanUp,
} from '@tutti/runtime';
import { noticeEvent, type RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import {
  createProgramRunner,
  describeProgram,
  identifyData,
  monitoredRunner,
  openProgram,
  timedRunner,
} from '@tutti/worker/internal';
import { createPlainSteps } from './plain-steps.js';
import { createSingleProcessCheckpoints } from './single-process-checkpoints.js';

/**
 * The plain loop: every micro-batch, the same tree of additions, the same update, in one process
 * and without a network. What any number of workers must agree with, bit for bit.
 */
export async function trainInSingleProcess(init: {
  readonly program: Program;
  readonly programHash?: string;
  readonly settings: JobSettings;
  readonly job: string;
  readonly checkpoints?: CheckpointSink | undefined;
  readonly resume?: Resume | undefined;
  readonly clock: Clock;
  /** Ends the run at once. */
  readonly signal: AbortSignal;
  /** Ends the run between two steps, with a checkpoint: see `CoordinatorInit`. */
  readonly interrupt?: AbortSignal | undefined;
  readonly emit: (event: RunEvent) => void;
  /** Is told how long the stations of its steps take. */
  readonly timeline?: Timeline | undefined;
}): Promise<JobResult> {
  const { program, settings, clock, signal, interrupt, emit, checkpoints: sink } = init;
  const { timeline = NO_TIMELINE } = init;
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor = createMonitor({ clock, signal, onWaiting });
  const closing = createMonitor({ clock, onWaiting });
  let training = false;
  let point: ResumePoint | undefined;
  const interrupted = () => {
    // The loop ends itself; before it there is nothing to wait for.
    if (!training) monitor.fail(stoppedAt({ step: point?.step ?? 0, path: ownCheckpoint(point) }));
  };
  interrupt?.addEventListener('abort', interrupted, { once: true });
  if (interrupt?.aborted) interrupted();
  const open = await openProgram(program, monitor, closing);
  const { data, computation } = open;
  const close = () => {
    interrupt?.removeEventListener('abort', interrupted);
    return withCleanUp(open.close, () => closing.race(sink?.close?.(), writingModel));
  };
  return withCleanUp(close, async () => {
    for (const notice of open.notices) emit(noticeEvent(notice));
    const identity = await identifyData(data, monitor);
    const description = describeProgram(program, data, computation, init.programHash, identity);
    const finding = init.resume?.({ description, settings, workers: 0, emit });
    point = await monitor.race(finding, readingCheckpoint);
    const plan = point?.plan ?? resolvePlan({ description, settings, workers: 0 });
    const job = point?.job ?? init.job;
    const from = ownCheckpoint(point);
    const folder = await monitor.race(sink?.begin?.({ job, plan, from }), openingFolder);
    const layout = layoutOf(plan);
    const kernels = createKernels();
    const worker = 'main';
    const ofJob = { plan, layout, data, computation, kernels, clock, worker };
    const runner = monitoredRunner(timedRunner(createProgramRunner(ofJob), timeline), monitor);
    const recorder = createRecorder({ job: { id: job, plan, layout }, sink, emit });
    const { applied } = recorder;
    const parts = { plan, layout, kernels, runner, point, applied, timeline };
    const steps = await createPlainSteps(parts);
    const { flat, weights } = steps;
    const start = point?.step ?? 0;
    const checkpoints =
      sink &&
      createSingleProcessCheckpoints({
        sink,
        run: { job, plan, versions: { ...computation.arithmetic } },
        layout,
        steps,
        version: start,
        clock,
        emit,
      });

    emit(startedEvent({ job, plan, layout, workers: 0, servers: 0, from: point, folder }));
    const progress = createProgress({ plan, clock, emit });
    if (point !== undefined) progress.startAt(start, point.progress);
    const steering = createSteering({ plan, emit });
    steering.startAt(point?.progress?.steering, point?.best);
    const state = () => ({ ...progress.state(), ...steering.state() });
    const shards = Array.from({ length: plan.shards }, (_, shard) => shard);
    progress.stepStarted();
    training = true;
    async function halted(version: number) {
      if (version === start) return stoppedAt({ step: version, path: ownCheckpoint(point) });
      const saved = await monitor.race(checkpoints?.last(), writingModel);
      return stoppedAt({ step: version, path: saved?.path });
    }
    let reached = start;
    for (let version = start; ; version++) {
      let evaluation: ReturnType<typeof totalOf> | undefined;
      if (evaluatesAt(plan, version)) {
        const reports = [];
        for (const shard of shards) {
          reports.push(await runner.evaluate(weights, version, shard));
          if (!interrupt?.aborted) continue;
          checkpoints?.halt(version, state(), steering.best());
          throw await halted(version);
        }
        evaluation = totalOf(reports);
      }
      const means = evaluation && meansOf(evaluation, plan.metricForms);
      const before = state();
      checkpoints?.between(version, before, means, steering.best());
      let stop = version === plan.steps;
      if (endsEpoch(plan, version)) {
        progress.epochDone(version, evaluation);
        const decision = steering.observe(version, progress.final());
        if (decision.keep) {
          const slots = checkpoints === undefined ? [] : steps.state();
          const kept = { version, flat: flat.slice(), slots, progress: before };
          steering.keep({ ...kept, means: progress.final(), evaluated: means !== undefined });
        }
        stop ||= decision.stop;
        progress.stepStarted();
      }
      if (stop) {
        reached = version;
        break;
      }
      if (interrupt?.aborted) throw await halted(version);

      const rate = steering.rate();
      const totals = await steps.step(version, rate);
      progress.stepDone(version, totals);
      recorder.done(version, totals, rate);
      if (signal.aborted) throw abortError(signal);
    }
    const best = steering.best();
    const end = best?.flat ?? flat;
    return {
      job,
      plan,
      steps: reached,
      examples: progress.examples(),
      ...(best?.means ?? progress.final()),
      digest: digestOf(end),
      parameters: end,
      values: layout.views(end),
      examplesPerSecond: progress.examplesPerSecond(),
      wireBytesPerStep: 0,
      ...savedAs(await monitor.race(checkpoints?.last(best), writingModel)),
    };
  });
}
