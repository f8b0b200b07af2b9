import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createKubeflow, kubeflowServer } from './kubeflow.js';
import { at, epochEvent, finishedEvent, startedEvent, stepEvent } from './testing.js';

interface Status {
  readonly progressPercentage: number;
  readonly estimatedRemainingSeconds?: number;
  readonly metrics: readonly { readonly name: string; readonly value: string }[];
  readonly lastUpdatedTime: string;
}

const PATH = '/apis/trainer.kubeflow.org/v1alpha1/namespaces/n/trainjobs/mnist/status';

describe('the Kubeflow Trainer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-'));
  const [keyFile, caFile, tokenFile] = ['key.pem', 'ca.crt', 'token'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  let server: Server;
  let url: string;
  let told: { readonly token: string | undefined; readonly status: Status }[];
  let heard: () => void;
  let warnings: RunEvent[];

  before(() => {
    const made = ['-keyout', keyFile, '-out', caFile, '-days', '2', '-subj', '/CN=trainer'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync(
      'openssl',
      ['req', '-x509', ...kind, ...made, '-addext', 'subjectAltName=IP:127.0.0.1'],
      { stdio: 'ignore' },
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  beforeEach(async () => {
    [told, warnings, heard] = [[], [], () => {}];
    writeFileSync(tokenFile, 'first\n');
    // What pkg/statusserver of kubeflow/trainer answers, and what its schema refuses.
    server = createServer(
      { key: readFileSync(keyFile), cert: readFileSync(caFile) },
      (request, response) => {
        let text = '';
        request.on('data', (part) => {
          text += part;
        });
        request.on('end', () => {
          const { authorization } = request.headers;
          if (request.method !== 'POST' || request.url !== PATH)
            return response.writeHead(404).end();
          if (authorization === 'Bearer stale')
            return response.writeHead(403).end('{"message":"Forbidden"}');
          told.push({ token: authorization, status: JSON.parse(text).trainerStatus });
          response.writeHead(200).end(text);
          heard();
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function start(given: Partial<{ caFile: string }> = { caFile }) {
    const clock = createSimulatedClock();
    const emit = (event: RunEvent) => void warnings.push(event);
    const tracker = createKubeflow({ server: { url, tokenFile, ...given }, emit, clock });
    return {
      clock,
      tracker,
      /** Tells of an event; each comes so much later than the one before. */
      tell(event: RunEvent, laterMs = 0) {
        clock.advance(laterMs);
        tracker.listen(at(clock.now(), event));
      },
      next: () =>
        new Promise<void>((resolve) => {
          heard = resolve;
        }),
    };
  }
  const metricsOf = ({ metrics }: Status) =>
    Object.fromEntries(metrics.map(({ name, value }) => [name, value]));

  it('is found in the environment, or nobody is told', () => {
    assert.equal(kubeflowServer({}), undefined);
    assert.deepEqual(
      kubeflowServer({
        KUBEFLOW_TRAINER_SERVER_URL: 'https://t/',
        KUBEFLOW_TRAINER_SERVER_CA_CERT: '/ca.crt',
        KUBEFLOW_TRAINER_SERVER_TOKEN: '/token',
      }),
      { url: 'https://t/', caFile: '/ca.crt', tokenFile: '/token' },
    );
  });

  it('is told how far a run is, how long it takes, its numbers, and its end', async () => {
    const { clock, tracker, tell, next } = start();
    let once = next();
    tell(startedEvent());
    await once;
    once = next();
    tell(stepEvent(1, 0.5), 1000);
    tell(stepEvent(2, Number.NaN), 1000);
    tell(stepEvent(3, 0.25), 1000);
    tell(epochEvent(1, 0.125));
    // The token is another by now.
    writeFileSync(tokenFile, 'second\n');
    clock.advance(3000);
    await once;
    tell(stepEvent(4, 0.2));
    tell(finishedEvent, 1000);
    await tracker.close();
    assert.deepEqual(warnings, []);
    const [begun, half, end, ...more] = told.map(({ status }) => status);
    assert.deepEqual(more, []);
    assert.deepEqual(begun, {
      ...{ progressPercentage: 0, metrics: [], lastUpdatedTime: '2023-11-14T22:13:20.000Z' },
    });
    assert.equal(half!.progressPercentage, 50);
    // Three steps in three seconds, and as many to come.
    assert.equal(half!.estimatedRemainingSeconds, 3);
    assert.deepEqual(metricsOf(half!), {
      ...{ loss: '0.25', accuracy: '0.5', evaluation_loss: '0.125', evaluation_accuracy: '0.75' },
    });
    assert.equal(end!.progressPercentage, 100);
    assert.equal(end!.estimatedRemainingSeconds, 0);
    assert.equal(metricsOf(end!).loss, '0.2');
    assert.deepEqual(
      told.map(({ token }) => token),
      ['Bearer first', 'Bearer second', 'Bearer second'],
    );
  });

  it('is told of a run that goes on where it stands, and of one that failed what it last knew', async () => {
    const { tracker, tell } = start();
    tell(startedEvent(3));
    tell(stepEvent(4), 1000);
    tell({ event: 'failed', code: 'ABORTED', message: '', remedy: '', details: {} }, 1000);
    await tracker.close();
    assert.deepEqual(
      told.map(({ status }) => status.progressPercentage),
      [66],
    );
  });

  it('is told no more than its schema takes', async () => {
    const { tracker, tell } = start();
    const many = Array.from({ length: 300 }, (_, index) => [`m${index}`, index] as const);
    const metrics = { ['x'.repeat(65)]: 1, ...Object.fromEntries(many) };
    tell(startedEvent());
    tell({ ...stepEvent(1), metrics } as RunEvent);
    await tracker.close();
    const { metrics: taken } = told.at(-1)!.status;
    assert.equal(taken.length, 256);
    for (const { name, value } of taken) assert.ok(name.length <= 64 && value.length <= 64);
  });

  for (const [what, prepare] of [
    ['is not there', () => void server.close()],
    ['has another certificate', () => {}],
    ['does not know the token', () => writeFileSync(tokenFile, 'stale')],
  ] as const)
    it(`holds up no run where it ${what}, which is one warning`, async () => {
      prepare();
      const { tracker, tell } = start(what === 'has another certificate' ? {} : { caFile });
      tell(startedEvent());
      for (let step = 1; step <= 3; step++) tell(stepEvent(step), 6000);
      tell(finishedEvent);
      await tracker.close();
      assert.deepEqual(told, []);
      assert.equal(warnings.length, 1);
      const [warning] = warnings;
      assert.ok(warning?.event === 'warning');
      assert.match(warning.message, /^The Kubeflow Trainer at https:.* could not be told/);
      if (what === 'does not know the token') assert.match(warning.message, /403.*Forbidden/);
    });
});
