// A form that asks for approvers: what is chosen by name is suggested while it is typed.
import { enhancePicks } from "./designer-pick.js";

enhancePicks(document.getElementById("policy-form"));
