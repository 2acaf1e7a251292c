import rateLimiter from "@convex-dev/rate-limiter/convex.config.js";
import { defineApp } from "convex/server";

/** The components of the deployment. Only `model/rateLimits` and `model/pace` speak to the rate limiter. */
const app = defineApp();
app.use(rateLimiter);

export default app;
