import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunEvent } from '@tutti/telemetry';
import { createMlflow } from './mlflow.js';
import { at, epochEvent, finishedEvent, startedEvent, stepEvent } from './testing.js';

interface Metric {
  readonly key: string;
  readonly value: number;
  readonly step: number;
}

/** As much of a tracking server as a run needs: https://mlflow.org/docs/latest/rest-api.html */
function createFake() {
  const experiments = new Map<string, string>();
  const runs: { id: string; tags: Record<string, string>; params: object; status: string }[] = [];
  const metrics: Metric[] = [];
  const requests: string[] = [];
  const latest = () => [...new Map(metrics.map((metric) => [metric.key, metric])).values()];

  function answer(path: string, body: Record<string, unknown>): [code: number, answer: object] {
    const run = runs.find(({ id }) => id === body.run_id);
    switch (path) {
      case 'experiments/get-by-name': {
        const id = experiments.get(String(body.experiment_name));
        return id === undefined
          ? [404, { error_code: 'RESOURCE_DOES_NOT_EXIST' }]
          : [200, { experiment: { experiment_id: id } }];
      }
      case 'experiments/create':
        experiments.set(String(body.name), 'e1');
        return [200, { experiment_id: 'e1' }];
      case 'runs/search': {
        const [, job] = /^tags\.`tutti\.job` = '(.*)'$/.exec(String(body.filter))!;
        const found = runs.filter(({ tags }) => tags['tutti.job'] === job);
        // A server without runs leaves the list out.
        if (found.length === 0) return [200, {}];
        return [
          200,
          { runs: found.map(({ id }) => ({ info: { run_id: id }, data: { metrics: latest() } })) },
        ];
      }
      case 'runs/create': {
        const tags = (body.tags as { key: string; value: string }[]).map(({ key, value }) => [
          key,
          value,
        ]);
        const id = `r${runs.length + 1}`;
        runs.push({ id, tags: Object.fromEntries(tags), params: {}, status: 'RUNNING' });
        return [200, { run: { info: { run_id: id }, data: {} } }];
      }
      case 'runs/log-batch': {
        const { metrics: told = [], params = [] } = body as {
          metrics?: Metric[];
          params?: { key: string; value: string }[];
        };
        const isFit = told.every(({ key }) => /^[\w./: -]+$/.test(key) && key !== fake.refused);
        if (told.length > 1000 || !isFit) return [400, { error_code: 'INVALID_PARAMETER_VALUE' }];
        metrics.push(...told);
        for (const { key, value } of params) Object.assign(run!.params, { [key]: value });
        return [200, {}];
      }
      case 'runs/update':
        run!.status = String(body.status);
        return [200, {}];
      default:
        return [404, {}];
    }
  }

  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const url = new URL(request.url!, 'http://localhost');
      const path = url.pathname.replace('/api/2.0/mlflow/', '');
      requests.push(path);
      const body =
        request.method === 'GET' ? Object.fromEntries(url.searchParams) : JSON.parse(text);
      const [code, said] = answer(path, body);
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    });
  });
  const fake = { server, experiments, runs, metrics, requests, refused: '' };
  return fake;
}

describe('MLflow', () => {
  let fake: ReturnType<typeof createFake>;
  let url: string;
  let warnings: RunEvent[];
  beforeEach(async () => {
    fake = createFake();
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(fake.server.address() as AddressInfo).port}`;
    warnings = [];
  });
  afterEach(() => {
    fake.server.closeAllConnections();
    fake.server.close();
  });

  async function tell(...events: readonly RunEvent[]) {
    const tracker = createMlflow({ url: `${url}/`, emit: (event) => warnings.push(event) });
    for (const [index, event] of events.entries()) tracker.listen(at(index, event));
    await tracker.close();
  }
  const stepsOf = (key: string) =>
    fake.metrics.filter((metric) => metric.key === key).map(({ step }) => step);

  it('is told of a run: what it was begun with, its numbers, how it ended', async () => {
    const steps = [1, 2, 3].map((step) => stepEvent(step, step === 2 ? Number.NaN : 0.5));
    await tell(startedEvent(), ...steps, epochEvent(1, 0.125), finishedEvent);
    assert.deepEqual([...fake.experiments], [['line', 'e1']]);
    const [run, ...more] = fake.runs;
    assert.deepEqual(more, []);
    assert.equal(run!.status, 'FINISHED');
    assert.deepEqual(run!.params, {
      ...{ optimizer: 'adam', learningRate: '0.25', batchSize: '32', nesterov: 'true' },
    });
    // What is no number it does not take.
    assert.deepEqual(stepsOf('loss'), [1, 3]);
    assert.deepEqual(stepsOf('accuracy'), [1, 2, 3]);
    assert.deepEqual(stepsOf('evaluation_loss'), [3]);
    assert.deepEqual(warnings, []);
  });

  it('is told of a run that goes on what is beyond its last step only', async () => {
    await tell(startedEvent(), ...[1, 2, 3, 4, 5].map((step) => stepEvent(step)));
    await tell(startedEvent(3), ...[4, 5, 6].map((step) => stepEvent(step)), finishedEvent);
    assert.equal(fake.runs.length, 1);
    assert.deepEqual(stepsOf('loss'), [1, 2, 3, 4, 5, 6]);
    assert.equal(fake.runs[0]!.status, 'FINISHED');
  });

  it('takes very many numbers in parts', async () => {
    await tell(startedEvent(), ...Array.from({ length: 1500 }, (_, at) => stepEvent(at + 1)));
    assert.equal(stepsOf('loss').length, 1500);
    assert.deepEqual(warnings, []);
  });

  it('is told numbers by names that it takes', async () => {
    const step = { ...stepEvent(1), metrics: { 'top-5 (%)': 0.5 } } as RunEvent;
    await tell(startedEvent(), step);
    assert.deepEqual(stepsOf('top-5 ___'), [1]);
    assert.deepEqual(warnings, []);
  });

  it('is told the numbers after those that it refuses, and how the run ended', async () => {
    fake.refused = 'evaluation_loss';
    const steps = Array.from({ length: 500 }, (_, at) => stepEvent(at + 1));
    await tell(startedEvent(), epochEvent(1, 0.5), ...steps, finishedEvent);
    assert.equal(warnings.length, 1);
    assert.ok(stepsOf('loss').includes(500));
    assert.equal(fake.runs[0]!.status, 'FINISHED');
  });

  it('does not hold up a run where it is not there, and is missed with one warning', async () => {
    fake.server.close();
    fake.server.closeAllConnections();
    await tell(startedEvent(), stepEvent(1), finishedEvent);
    assert.equal(warnings.length, 1);
    const [warning] = warnings;
    assert.ok(
      warning?.event === 'warning' && warning.message.startsWith(`MLflow at ${url}/ could not`),
    );
  });
});
