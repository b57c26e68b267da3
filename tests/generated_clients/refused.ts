// What the server refuses: in each of these, the compiler must find the mistake, or it complains of the comment.
import type { paths } from "./windrow";

type Body<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { "application/json": infer Shape } } };
}
  ? Shape
  : never;
type PredictBody = Body<"/v1/classifier/predict">;
type FitBody = Body<"/v1/classifier/fit">;

export const rightSoThatTheTypesAreKnown: [PredictBody, FitBody] = [
  { model_name: "tickets_v1", text: "send me the bill" },
  { model_name: "tickets_v1", training_data: [] },
];

// @ts-expect-error a text is no number
export const number: PredictBody = { model_name: "tickets_v1", text: 1 };
// @ts-expect-error no such field
export const unknownField: PredictBody = { model_name: "tickets_v1", text: "send me the bill", topk: 1 };
// @ts-expect-error no classifier
export const noClassifier: PredictBody = { text: "send me the bill" };
// @ts-expect-error no text
export const noText: PredictBody = { model_name: "tickets_v1" };
// @ts-expect-error many texts go with one classifier
export const manyOfBoth: PredictBody = { model_names: ["tickets_v1"], texts: ["send me the bill"] };
// @ts-expect-error one text in a list
export const textInAList: PredictBody = { model_name: "tickets_v1", text: ["send me the bill"] };
// @ts-expect-error no name
export const noName: FitBody = { training_data: [] };
// @ts-expect-error no rows
export const noRows: FitBody = { model_name: "tickets_v1" };
// @ts-expect-error a row without a label
export const noLabel: FitBody = { model_name: "tickets_v1", training_data: [{ text: "send me the bill" }] };
// @ts-expect-error null where a number belongs
export const nothing: FitBody = { model_name: "tickets_v1", training_data: [], num_iterations: null };
// @ts-expect-error no such path
export type NoPath = paths["/v1/classifier/predicts"];
