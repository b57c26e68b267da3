// Sends one request for each line of a file, every line once and in order; load.py starts it and reads what it prints.
import { SharedArray } from "k6/data";
import exec from "k6/execution";
import http from "k6/http";

const bodies = new SharedArray("bodies", () => open(__ENV.BODIES).trimEnd().split("\n"));
const request = { headers: { "Content-Type": "application/json" }, tags: { name: "predict" } };

export const options = {
  scenarios: { load: JSON.parse(__ENV.SCENARIO) },
  summaryTrendStats: ["p(50)", "p(90)", "p(99)"],
};

let hasTold = false; // each client tells of its first failure only

export default function () {
  const reply = http.post(__ENV.URL, bodies[exec.scenario.iterationInTest], request);
  if (reply.status !== 200 && !hasTold) {
    hasTold = true;
    console.error(`status ${reply.status}: ${reply.error || reply.body}`);
  }
}

export function handleSummary(data) {
  return { stdout: JSON.stringify(data) };
}
