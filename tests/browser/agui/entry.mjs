// What the two-turn conversation needs of the official client.
export { HttpAgent } from "@ag-ui/client";
