import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createFolder, type Folder } from '../processes/program-files.js';
import { skip } from './needs.js';

const run = promisify(execFile);

const root = fileURLToPath(new URL('../../..', import.meta.url));
const tools = join(root, '.cache/cluster-tools');
const CHART = 'deploy/helm/tutti';
const VALUES = 'deploy/kubernetes/values.yaml';
const CHECK = fileURLToPath(new URL('./check-manifests.py', import.meta.url));

const helm = async (...args: readonly string[]) =>
  (await run(join(tools, 'helm'), args, { cwd: root })).stdout;
const template = (...args: readonly string[]) => helm('template', 'tutti', CHART, ...args);

describe('deploy', () => {
  let folder: Folder;
  before(function () {
    if (!existsSync(join(tools, 'helm')) || !existsSync(join(tools, 'python/bin/python')))
      skip(this, 'there is no Helm, or no schemas (tools/cluster-tools.sh)');
  });
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => folder.remove());

  /** What the schemas say of objects; nothing, if they fit. */
  async function faultsOf(...texts: readonly string[]): Promise<string> {
    const files = await Promise.all(
      texts.map(async (text, at) => {
        const file = join(folder.path, `${at}.yaml`);
        await writeFile(file, text);
        return file;
      }),
    );
    const checked = run(join(tools, 'python/bin/python'), [CHECK, ...files]);
    return (await checked.catch((error: { stdout: string }) => error)).stdout;
  }
  const text = (path: string) => readFile(join(root, path), 'utf8');

  it('holds a Dockerfile that hadolint finds nothing wrong with', async () => {
    const lint = async (file: string) => {
      const hadolint = run(join(tools, 'python/bin/hadolint'), ['--no-color', file]);
      return (await hadolint.catch((error: { stdout: string }) => error)).stdout;
    };
    const path = join(root, 'deploy/docker/Dockerfile');
    assert.equal(await lint(path), '');
    const careless = join(folder.path, 'Dockerfile');
    await writeFile(
      careless,
      `${await text('deploy/docker/Dockerfile')}RUN cd /tmp && sudo true\n`,
    );
    assert.match(await lint(careless), /DL3004/);
  });

  it('holds a chart that Helm finds nothing wrong with', async () => {
    assert.match(await helm('lint', '--strict', CHART), /0 chart\(s\) failed/);
  });

  it('holds the rendered chart as it is', async () => {
    const [first, ...rendered] = (await text('deploy/kubernetes/jobset.yaml')).split('\n');
    assert.equal(first, `# Rendered: helm template tutti ${CHART} --values ${VALUES}`);
    assert.equal(rendered.join('\n'), await template('--values', VALUES));
  });

  it('gives objects that fit the schemas, in every form', async function () {
    this.timeout(120_000);
    const forms = await Promise.all([
      template('--values', VALUES),
      template(),
      template('--set', 'servers=2,queue=team,storage.storageClassName=fast,workers=16'),
      text('deploy/kubeflow/runtime.yaml'),
      text('deploy/kubeflow/trainjob.yaml'),
    ]);
    assert.equal(await faultsOf(...forms), '');
    assert.ok(
      forms[2].includes(
        '"--server-addresses","tcp://tutti-server-0-0.tutti:7001,tcp://tutti-server-0-1.tutti:7001"',
      ),
    );
  });

  it('makes a key of 32 bytes, unless one is named', async () => {
    const key = /^ {2}key: (\S+)$/m.exec(await template())?.[1];
    assert.equal(Buffer.from(key!, 'base64').length, 32);
    assert.doesNotMatch(await template('--values', VALUES), /kind: Secret/);
  });

  it('would not hold a typo, wherever it is', async function () {
    this.timeout(120_000);
    const rendered = await text('deploy/kubernetes/jobset.yaml');
    const typos = [
      ['maxRestarts:', 'maxRestart:'],
      ['readOnlyRootFilesystem:', 'readonlyRootFilesystem:'],
      ['mountPath: /runs', 'mountPoint: /runs'],
      ['accessModes:', 'accessMode:'],
    ] as const;
    const faults = await faultsOf(...typos.map(([from, to]) => rendered.replace(from, to)));
    for (const [at, [from, to]] of typos.entries()) {
      assert.ok(rendered.includes(from), from);
      assert.ok(faults.includes(`${at}.yaml:`), to);
    }
  });

  for (const values of ['worker=3', 'workers=0', 'image.repo=x', 'program=program.ts', 'job.x=1'])
    it(`refuses the values ${values}`, async () => {
      await assert.rejects(template('--set', values), /values don't meet the specifications/);
    });
});
