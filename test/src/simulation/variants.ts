import { readFileSync } from 'node:fs';
import { register } from 'node:module';

/** The product with one thing broken: what the simulation must notice. */
export interface Variant {
  readonly name: string;
  readonly what: string;
  /** The compiled module, from the root of the repository. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export const VARIANTS: readonly Variant[] = [];

const root = new URL('../../../', import.meta.url);

/**
 * From now on the module of the variant is imported broken.
 * @throws if the variant does not apply any more
 */
export function patchModules(name: string): void {
  const variant = VARIANTS.find((each) => each.name === name);
  if (variant === undefined)
    throw new Error(`No variant is called "${name}": ${VARIANTS.map((v) => v.name).join(', ')}`);
  const { file, from, to } = variant;
  const url = new URL(file, root);
  const found = readFileSync(url, 'utf8').split(from).length - 1;
  if (found !== 1) throw new Error(`"${from}" is ${found} times in ${file}; mend the variant`);
  const hook = `
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      if (!url.startsWith(${JSON.stringify(url.href)})) return loaded;
      const source = String(loaded.source).replace(${JSON.stringify(from)}, () => ${JSON.stringify(to)});
      return { ...loaded, source, shortCircuit: true };
    }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
