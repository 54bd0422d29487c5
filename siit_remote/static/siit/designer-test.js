// Suggests people while a name is typed.
import { enhancePicks } from "./designer-pick.js";

enhancePicks(document.getElementById("test-form"));
