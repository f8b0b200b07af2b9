import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { resolvePath } from '../processes/program-files.js';

/** A process that has @tutti/edge and nothing else of this repository. */
const PREDICT = `
  import { readFileSync, writeFileSync } from 'node:fs';
  const [edge, file, examples, size, output, parts] = process.argv.slice(1);
  const { readModel } = await import(edge);
  const { sharing } = parts === undefined ? {} : await import(parts);
  const model = readModel(readFileSync(file), { sharing });
  const x = new Float32Array(new Uint8Array(readFileSync(examples)).buffer);
  const all = [];
  for (let at = 0; at < x.length; at += Number(size))
    all.push(...model.predict(x.subarray(at, at + Number(size))));
  writeFileSync(output, new Uint8Array(Float32Array.from(all).buffer));
`;

/**
 * What a file predicts for examples of `size` values, read by a process of its own.
 * @param folder for the files that pass between the two
 * @param needsSharing whether the process has @tutti/edge/sharing besides
 */
export async function predictedElsewhere(
  folder: string,
  file: Uint8Array,
  x: Float32Array,
  size: number,
  needsSharing = false,
): Promise<Float32Array> {
  const [model, examples, output] = ['model.tutti', 'x', 'y'].map((name) => join(folder, name));
  await writeFile(model!, file);
  await writeFile(examples!, new Uint8Array(x.buffer));
  const edge = resolvePath('@tutti/edge');
  const args = ['--input-type=module', '-e', PREDICT, edge, model!, examples!, `${size}`, output!];
  if (needsSharing) args.push(resolvePath('@tutti/edge/sharing'));
  await promisify(execFile)(process.execPath, args, { env: {} });
  return new Float32Array(new Uint8Array(await readFile(output!)).buffer);
}
