// Shows the API's description. Nothing is sent to other servers: the validator that Swagger UI would ask is switched off.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  queryConfigEnabled: false,
  presets: [SwaggerUIBundle.presets.apis],
});
