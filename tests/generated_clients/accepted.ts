// What the server takes: each of these must compile.
import type { components, operations, paths } from "./windrow";

type Body<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { "application/json": infer Shape } } };
}
  ? Shape
  : never;
type PredictBody = Body<"/v1/classifier/predict">;
type FitBody = Body<"/v1/classifier/fit">;

export const oneText: PredictBody = { model_name: "tickets_v1", text: "send me the bill" };
export const manyTexts: PredictBody = { model_name: "tickets_v1", texts: ["send me the bill", "repay me"] };
export const manyClassifiers: PredictBody = { model_names: ["tickets_v1", "tickets_v2"], text: "send me the bill" };
export const everyChoice: PredictBody = {
  model_name: "tickets_v1",
  text: "send me the bill",
  top_k: 1,
  abstain_below: 0.5,
  min_in_scope: null,
  explain: true,
};

export const rows: components["schemas"]["Row"][] = [
  { text: "send me the bill", label: "invoice" },
  { text: "repay me", label: "refund" },
];
export const plainFit: FitBody = { model_name: "tickets_v1", training_data: rows };
export const headOnly: FitBody = { model_name: "tickets_v1", training_data: rows, num_iterations: 0, max_seconds: null };

// The types of an operation are found by its verb.
type Reply<Verb extends keyof operations> = operations[Verb] extends {
  responses: { 200: { content: { "application/json": infer Shape } } };
}
  ? Shape
  : never;

export function labels(reply: Reply<"predict">): (string | null)[] {
  return "predictions" in reply ? reply.predictions.map((answer) => answer.label) : [reply.label];
}

export function trainedName(reply: Reply<"fit">): string {
  return "status" in reply ? `${reply.status}: ${reply.model_name}` : `${reply.seconds} s`;
}

export function whatWentWrong(problem: components["schemas"]["Problem"]): string {
  return `${problem.code}: ${problem.detail}`;
}

export const folds: operations["cross_validate"]["requestBody"]["content"]["application/json"] = { training_data: rows };
export const purged: operations["delete"]["parameters"]["query"] = { purge: true };
export const here: operations["import_classifier"]["parameters"]["query"] = { model_name: "tickets_v2" };
