import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { startTheme } from "./parts/theme.ts";
import "./styles.css";

startTheme();
createRoot(document.getElementById("root")!).render(<StrictMode><App /></StrictMode>);
