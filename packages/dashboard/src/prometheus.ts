import type { View } from './view.js';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number | null | undefined];

/** The numbers of a run in Prometheus' text format, version 0.0.4; what is not known yet is left out. */
export function prometheusText(view: View): string {
  const lines: string[] = [];
  const run = { program: view.program ?? '', job: view.job ?? '' };

  function family(kind: 'gauge' | 'counter', name: string, help: string, samples: Sample[]) {
    const known = samples.filter(([, value]) => typeof value === 'number');
    if (known.length === 0) return;
    lines.push(`# HELP tutti_${name} ${help}`, `# TYPE tutti_${name} ${kind}`);
    for (const [labels, value] of known)
      lines.push(`tutti_${name}${labelsText({ ...run, ...labels })} ${value}`);
  }
  const gauge = (name: string, help: string, value: number | null) =>
    family('gauge', name, help, [[{}, value]]);

  const evaluation = view.epochsDone.at(-1)?.evaluation;
  const named = (metrics: View['metrics'] = {}) =>
    Object.entries(metrics).map(([metric, value]): Sample => [{ metric }, value]);
  const here = view.workers.filter((worker) => worker.here);
  const secondsSince = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
  const perServer = (numberOf: (server: View['servers'][number]) => number | undefined) =>
    view.servers.map(
      (server): Sample => [{ server: server.address, role: server.role }, numberOf(server)],
    );

  family('gauge', 'run_info', 'The phase that the run is in; always 1.', [
    [{ phase: view.phase }, 1],
  ]);
  gauge('step', 'Steps that are done.', view.step);
  gauge('steps', 'Steps of the whole run; 0 until they are known.', view.steps);
  gauge('epoch', 'The epoch under way, from 1.', view.epoch);
  gauge('loss', 'Loss of the last step, a mean over examples.', view.loss);
  family('gauge', 'metric', 'Metrics of the last step, means over examples.', named(view.metrics));
  gauge('evaluation_loss', 'Loss of the last evaluation.', evaluation?.loss ?? null);
  family(
    'gauge',
    'evaluation_metric',
    'Metrics of the last evaluation.',
    named(evaluation?.metrics),
  );
  gauge('examples', 'Examples trained on since the start of the run.', view.examples);
  gauge('examples_per_second', 'Over the last few steps.', view.examplesPerSecond);
  gauge('wire_bytes_per_step', 'What workers send and receive for a step.', view.wireBytesPerStep);
  gauge('stored_parameters', 'Floats that the servers hold.', view.storedParameters);
  gauge('workers', 'Workers that take part.', here.length);
  family(
    'gauge',
    'worker_examples_per_second',
    'The speed of its own computing, without waiting.',
    here.map((worker): Sample => [{ worker: worker.name }, worker.examplesPerSecond]),
  );
  family(
    'gauge',
    'worker_shards',
    'Shards that it computes.',
    here.map((worker): Sample => [{ worker: worker.name }, worker.shards?.length]),
  );
  family(
    'gauge',
    'worker_heard_seconds',
    'Since its last message.',
    here.map((worker): Sample => [{ worker: worker.name }, secondsSince(worker.heardMs)]),
  );
  family(
    'gauge',
    'server_version',
    'The latest version that it is known to hold.',
    perServer(({ version }) => version),
  );
  family(
    'gauge',
    'server_heard_seconds',
    'Since its last message.',
    perServer(({ heardMs }) => secondsSince(heardMs)),
  );
  gauge('waits', 'Waits under way.', view.waits.length);
  family('counter', 'faults_total', 'Processes that were lost, or computed wrong.', [
    [{}, view.faults],
  ]);
  return `${lines.join('\n')}\n`;
}

function labelsText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    return `${name}="${escaped}"`;
  });
  return `{${parts.join(',')}}`;
}
