/** How a cost grows. */
export interface Point {
  readonly n: number;
  readonly cost: number;
}

/** Of cost = a * n^e by least squares of the logarithms: 1 is linear, 2 quadratic. */
export function exponentOf(points: readonly Point[]): number {
  const logs = points.map(({ n, cost }) => ({ x: Math.log(n), y: Math.log(cost) }));
  const meanX = mean(logs.map(({ x }) => x));
  const meanY = mean(logs.map(({ y }) => y));
  const covariance = mean(logs.map(({ x, y }) => (x - meanX) * (y - meanY)));
  return covariance / mean(logs.map(({ x }) => (x - meanX) ** 2));
}

/** Between the last two points: what the fixed costs of the small ones do not hide. */
export function lastExponent(points: readonly Point[]): number {
  return exponentOf(points.slice(-2));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
