import { readCheckpoint, readSafetensors } from '@tutti/checkpoint';

/**
 * Trained weights, by name: of a checkpoint (or the latest in a folder of them), or of a safetensors
 * file. For `from` of a sharing rule; the run that wrote it must not have shared them itself.
 * @throws TuttiError BAD_CHECKPOINT for what cannot be read or is damaged
 */
export async function pretrained(path: string): Promise<Readonly<Record<string, Float32Array>>> {
  const tensors = path.endsWith('.safetensors')
    ? (await readSafetensors(path)).tensors
    : (await readCheckpoint(path)).parameters;
  return Object.fromEntries(tensors.map(({ name, values }) => [name, values]));
}
