// Geometry for drawing only: circles and buffers in metres around shapes in degrees, on a local plane. What
// was decided was computed by the evaluator; these lines show it, to well under a metre at these sizes.

export type Point = [number, number]; // lon, lat in degrees
export type Ring = Point[];

const METRES_PER_DEGREE = 111_195; // of latitude, on the mean sphere

interface Plane {
  to(point: Point): Point;
  from(point: Point): Point;
}

function plane(origin: Point): Plane {
  const x = METRES_PER_DEGREE * Math.cos((origin[1] * Math.PI) / 180);
  return {
    to: ([lon, lat]) => [(lon - origin[0]) * x, (lat - origin[1]) * METRES_PER_DEGREE],
    from: ([east, north]) => [origin[0] + east / x, origin[1] + north / METRES_PER_DEGREE],
  };
}

/** Closed ring around `centre`. */
export function circle(centre: Point, radiusM: number, corners = 64): Ring {
  const { from } = plane(centre);
  const ring = Array.from({ length: corners }, (_, i): Point => {
    const angle = (i / corners) * 2 * Math.PI;
    return from([radiusM * Math.cos(angle), radiusM * Math.sin(angle)]);
  });
  return [...ring, ring[0]!];
}

/** Outline of everything within `bufferM` of a closed ring, from outside: edges pushed out, corners rounded,
 * and whatever a concave corner would push back inside left out. */
export function grown(ring: Ring, bufferM: number): Ring {
  if (bufferM <= 0 || ring.length < 4) return ring;
  const { to, from } = plane(ring[0]!);
  const corners = ring.slice(0, -1).map(to);
  if (area(corners) < 0) corners.reverse();
  const outline: Point[] = [];
  for (let i = 0; i < corners.length; i += 1) {
    const before = corners[(i + corners.length - 1) % corners.length]!;
    const here = corners[i]!;
    const after = corners[(i + 1) % corners.length]!;
    const arriving = outward(before, here);
    let turn = outward(here, after) - arriving;
    while (turn <= -Math.PI) turn += 2 * Math.PI;
    while (turn > Math.PI) turn -= 2 * Math.PI;
    const steps = Math.max(1, Math.ceil(Math.abs(turn) / (Math.PI / 18)));
    for (let step = 0; step <= steps; step += 1) {
      const angle = arriving + (turn * step) / steps;
      outline.push([here[0] + bufferM * Math.cos(angle), here[1] + bufferM * Math.sin(angle)]);
    }
  }
  const kept = outline.filter((point) => distanceToRing(point, corners) >= bufferM * 0.999);
  if (kept.length < 3) return ring;
  const back = kept.map(from);
  return [...back, back[0]!];
}

const outward = (a: Point, b: Point) => Math.atan2(b[1] - a[1], b[0] - a[0]) - Math.PI / 2;

function area(corners: Point[]): number {
  return corners.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = corners[(i + 1) % corners.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
}

function distanceToRing([px, py]: Point, corners: Point[]): number {
  let nearest = Infinity;
  for (let i = 0; i < corners.length; i += 1) {
    const [ax, ay] = corners[i]!;
    const [bx, by] = corners[(i + 1) % corners.length]!;
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t =
      length === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length));
    nearest = Math.min(nearest, Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)));
  }
  return nearest;
}

/** Metres between two points. */
export function distance(a: Point, b: Point): number {
  const [x, y] = plane(a).to(b);
  return Math.hypot(x, y);
}

/** South-west and north-east corners around all points, or null without any. */
export function bounds(points: Iterable<Point>): [Point, Point] | null {
  let west = Infinity,
    south = Infinity,
    east = -Infinity,
    north = -Infinity;
  for (const [lon, lat] of points) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  return west <= east
    ? [
        [west, south],
        [east, north],
      ]
    : null;
}
