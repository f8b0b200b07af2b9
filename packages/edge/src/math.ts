/** By short names once they are minified: a page is to load little. */
export const { abs, ceil, exp, expm1, floor, max, min } = Math;
