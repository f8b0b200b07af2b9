/** A number that the environment sets, such as `RATIO=64`: the runs of a table differ by these alone. */
export function setting(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new Error(`${name} is "${text}", which is no number.`);
  return value;
}
